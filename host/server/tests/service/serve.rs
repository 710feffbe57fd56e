//! Start and stop over a real socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use backroom_server::{ServiceLimits, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::world::World;

/// Sends a request on a connection of its own and reads until the service closes it.
async fn exchange(to: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn run_request(key: &str) -> String {
    let body = r#"{"mode":"commit","input":{"do":"wait"}}"#;
    format!(
        "POST /v1/tenants/acme/installations/any/runs HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_are_answered_before_the_end() {
    let world = Arc::new(World::new());
    world.tenant("acme").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = world.service.clone();
    let server = tokio::spawn(serve(service, listener, async {
        stopped.await.ok();
    }));

    let health = exchange(address, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(health.starts_with("HTTP/1.1 200 OK"), "{health}");

    let request = run_request(&world.admin);
    let run = tokio::spawn(async move { exchange(address, &request).await });
    while world.script.running.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    stop.send(()).unwrap();
    sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(address).await.is_err(), "new connections are not taken");
    assert!(!server.is_finished());
    world.script.release();
    let answer = timeout(Duration::from_secs(10), run).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    timeout(Duration::from_secs(10), server).await.unwrap().unwrap().unwrap();
    assert_eq!(world.get(&world.admin, "/v1/tenants").await.status, 503, "the store is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_sends_nothing_is_let_go() {
    let limits = ServiceLimits { receive_time: Duration::from_millis(200), ..ServiceLimits::default() };
    let world = World::with_limits(limits);
    world.tenant("acme").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(world.service.clone(), listener, std::future::pending()));
    let silent = timeout(Duration::from_secs(10), exchange(address, "GET /healthz HTT")).await.unwrap();
    assert!(!silent.contains("200 OK"), "{silent}");
    let head = run_request(&world.admin).replace(r#"{"mode""#, "");
    let slow = timeout(Duration::from_secs(10), exchange(address, &head)).await.unwrap();
    assert!(slow.starts_with("HTTP/1.1 408") && slow.contains("body-too-slow"), "{slow}");
    server.abort();
}
