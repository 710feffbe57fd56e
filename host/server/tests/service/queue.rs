//! Runs that wait: durable when answered, done by whichever host comes to them, handed over when a host stops.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{StatusCode, header};
use backroom_server::{ServiceLimits, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::world::{DiskMode, Reply, World};

async fn enqueue(world: &World, tenant: &str, id: &str, what: &str) -> Reply {
    let body = json!({"id": id, "mode": "commit", "queued": true, "input": {"do": what}});
    world.post(&world.admin, &format!("/v1/tenants/{tenant}/installations/any/runs"), &body).await
}

async fn world() -> World {
    let world = World::with_limits(ServiceLimits { workers: 2, ..ServiceLimits::default() });
    world.script.room.store(3, Ordering::SeqCst);
    world.tenant("acme").await;
    world.tenant("bolt").await;
    world
}

async fn length(world: &World) -> Value {
    world.get(&world.admin, "/v1/queue").await.body["length"].clone()
}

/// Starts the server; gives what stops it and waits until it has.
async fn start(world: &World) -> (oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = serve(world.service.clone(), listener, async { drop(stopped.await) });
    (stop, tokio::spawn(async move { served.await.unwrap() }))
}

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    while !holds().await {
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_is_told_of_and_bounded() {
    let world = world().await;
    let first = enqueue(&world, "acme", "r/1", "commit").await;
    assert_eq!((first.status, &first.body["status"]), (StatusCode::ACCEPTED, &json!("queued")), "{first:?}");
    assert_eq!(first.header(header::LOCATION), "/v1/tenants/acme/runs/r%2F1");
    let shown = world.get(&world.admin, first.header(header::LOCATION)).await;
    assert_eq!((&shown.body["id"], &shown.body["status"]), (&json!("r/1"), &json!("queued")), "{shown:?}");
    let again = enqueue(&world, "acme", "r/1", "commit").await;
    assert_eq!((again.status, &again.body["replayed"]), (StatusCode::ACCEPTED, &json!(true)), "{again:?}");
    let list = world.get(&world.admin, "/v1/tenants/acme/runs").await;
    assert_eq!((&list.body["items"][0]["id"], &list.body["items"][0]["status"]), (&json!("r/1"), &json!("queued")));
    for id in ["r-2", "r-3"] {
        assert_eq!(enqueue(&world, "acme", id, "commit").await.status, StatusCode::ACCEPTED);
    }
    let full = enqueue(&world, "acme", "r-4", "commit").await;
    assert_eq!((full.status, full.code()), (StatusCode::TOO_MANY_REQUESTS, "too-many-requests"));
    assert_eq!(enqueue(&world, "bolt", "r-1", "commit").await.status, StatusCode::ACCEPTED, "each tenant its own");
    assert_eq!(length(&world).await, 4);
    let body = json!({"mode": "dry-run", "queued": true, "input": {}});
    let dry = world.post(&world.admin, "/v1/tenants/acme/installations/any/runs", &body).await;
    assert_eq!((dry.status, dry.code()), (StatusCode::UNPROCESSABLE_ENTITY, "queued-dry-run"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_on_disk_before_it_is_answered() {
    let world = world().await;
    world.disk.set(DiskMode::Held);
    let mut asked = Box::pin(enqueue(&world, "acme", "r-1", "commit"));
    let early = tokio::time::timeout(Duration::from_millis(300), &mut asked).await;
    assert!(early.is_err(), "answered before it was on disk: {early:?}");
    world.disk.sync();
    assert_eq!(asked.await.status, StatusCode::ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_does_them_in_order_and_tenants_do_not_wait_for_each_other() {
    let world = world().await;
    // Queueing is a writing of the tenant: it would wait for the turn of a run under way.
    enqueue(&world, "acme", "a-1", "wait").await;
    enqueue(&world, "acme", "a-2", "commit").await;
    let (stop, stopped) = start(&world).await;
    let running = async || world.get(&world.admin, "/v1/tenants/acme/runs/a-1").await.body;
    until(async || running().await["status"] == "running").await;
    assert!(running().await["host"].as_str().unwrap().starts_with("process-"));
    enqueue(&world, "bolt", "b-1", "commit").await;
    until(async || length(&world).await == 2).await;
    world.script.release();
    until(async || length(&world).await == 0).await;
    let ids: Vec<_> = world.script.requests.lock().iter().map(|r| r.id.clone().unwrap().to_string()).collect();
    assert_eq!(ids, ["a-1", "b-1", "a-2"]);
    stop.send(()).unwrap();
    stopped.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_could_not_do_stays_and_is_done_later() {
    let world = world().await;
    let (stop, stopped) = start(&world).await;
    enqueue(&world, "acme", "r-1", "busy").await;
    // It is tried, rests, and is tried again.
    until(async || world.script.requests.lock().len() >= 2).await;
    assert_eq!(length(&world).await, 1);
    stop.send(()).unwrap();
    stopped.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_stops_ends_what_is_under_way_and_begins_nothing() {
    let world = world().await;
    enqueue(&world, "acme", "r-1", "wait").await;
    enqueue(&world, "acme", "r-2", "commit").await;
    let (stop, stopped) = start(&world).await;
    until(async || world.script.running.load(Ordering::SeqCst) == 1).await;
    stop.send(()).unwrap();
    sleep(Duration::from_millis(100)).await;
    assert!(!stopped.is_finished(), "the run under way may end");
    world.script.release();
    stopped.await.unwrap();
    assert_eq!(world.script.requests.lock().len(), 1, "the second one is for another host");
}
