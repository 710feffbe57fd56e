//! A reply means that it is on disk; a failed sync is answered `unavailable`, and the service comes back by itself.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::world::{DiskMode, Reply, World, request, send};

type Write<'a> = Pin<Box<dyn Future<Output = Reply> + 'a>>;

/// Long enough for any answer that does not wait for the disk.
const A_WHILE: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread")]
async fn no_write_is_answered_before_it_is_on_disk() {
    let world = World::new();
    world.tenant("acme").await;
    let admin = world.admin.as_str();
    let upload = request(Method::POST, "/v1/plugins", Some(admin), Body::from(vec![1, 2, 3]));
    let release = send(world.router(), upload).await.body["digest"].clone();
    world.disk.set(DiskMode::Held);
    let csv = "code,name,type,parent,currency,posting,stock-control\n6100,Rent,expense,,USD,yes,no\n";
    let install = json!({"release": release});
    let writes: [(&str, Write<'_>); 5] = [
        ("tenant", Box::pin(async { world.post(admin, "/v1/tenants", &json!({"id": "b", "name": "B"})).await })),
        ("key", Box::pin(async { world.post(admin, "/v1/keys", &json!({"name": "k", "role": "admin"})).await })),
        ("import", Box::pin(async { world.import("acme", &[("accounts.csv", csv)]).await })),
        ("install", Box::pin(async { world.put(admin, "/v1/tenants/acme/installations/x", &install).await })),
        ("run", Box::pin(async { world.run("acme", "commit", &json!({})).await })),
    ];
    for (name, mut write) in writes {
        assert!(timeout(A_WHILE, &mut write).await.is_err(), "{name} was answered before it was on disk");
        world.disk.sync();
        let reply = timeout(A_WHILE * 10, write).await.unwrap();
        assert_eq!(reply.status, StatusCode::CREATED, "{name}: {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_not_answered_before_the_first_writing_is_on_disk() {
    let world = World::new();
    world.tenant("acme").await;
    let csv = "code,name,type,parent,currency,posting,stock-control\n6100,Rent,expense,,USD,yes,no\n";
    for (path, good) in [("tenant", true), ("import", true), ("tenant", false)] {
        world.disk.set(DiskMode::Held);
        let id = format!("{path}-{good}");
        let ask = || async {
            match path {
                "tenant" => world.post(&world.admin, "/v1/tenants", &json!({"id": id, "name": "B"})).await,
                _ => world.import("acme", &[("accounts.csv", csv)]).await,
            }
        };
        let (mut first, mut again) = (Box::pin(ask()), Box::pin(ask()));
        assert!(timeout(A_WHILE, &mut first).await.is_err());
        assert!(timeout(A_WHILE, &mut again).await.is_err(), "{path}: the replay was answered before it was on disk");
        if good {
            world.disk.sync();
            let (first, again) = timeout(A_WHILE * 10, async { tokio::join!(first, again) }).await.unwrap();
            assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK), "{path}");
        } else {
            world.disk.set(DiskMode::Broken);
            let broken = world.post(&world.admin, "/v1/tenants", &json!({"id": "c", "name": "C"})).await;
            let again = timeout(A_WHILE * 10, again).await.unwrap();
            let unavailable = StatusCode::SERVICE_UNAVAILABLE;
            assert_eq!((broken.status, again.status), (unavailable, unavailable), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_run_begins_while_the_one_before_waits_for_the_disk() {
    let world = World::new();
    world.tenant("acme").await;
    world.disk.set(DiskMode::Held);
    let [one, two] = [(); 2].map(|()| async { world.run("acme", "commit", &json!({})).await });
    let release = async {
        while world.script.requests.lock().len() < 2 {
            sleep(Duration::from_millis(1)).await;
        }
        sleep(A_WHILE).await;
        world.disk.sync();
    };
    let (one, two, ()) = timeout(Duration::from_secs(20), async { tokio::join!(one, two, release) }).await.unwrap();
    assert_eq!((one.status, two.status), (StatusCode::CREATED, StatusCode::CREATED));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_is_no_success_and_the_service_comes_back() {
    let world = World::new();
    world.tenant("acme").await;
    assert_eq!(world.run("acme", "commit", &json!({})).await.status, StatusCode::CREATED);
    world.fail_opening.store(3, Ordering::SeqCst);
    world.disk.set(DiskMode::Broken);
    let lost = world.run("acme", "commit", &json!({})).await;
    assert_eq!((lost.status, lost.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert!(!lost.body.to_string().contains("on purpose"), "the cause is for the log: {lost:?}");

    // While it is away: everything that needs the store says so, the process is alive.
    for path in ["/v1/tenants", "/v1/tenants/acme", "/v1/tenants/acme/runs", "/v1/log/status", "/readyz"] {
        let reply = world.get(&world.admin, path).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"), "{path}");
    }
    assert_eq!(world.get("", "/healthz").await.status, StatusCode::OK);

    world.disk.set(DiskMode::Fast);
    let back = async {
        while world.get(&world.admin, "/readyz").await.status != StatusCode::OK {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), back).await.unwrap();
    assert_eq!(world.opened.load(Ordering::SeqCst), 2);
    assert_eq!(world.fail_opening.load(Ordering::SeqCst), 0, "it tried until it worked");
    assert_eq!(world.overlaps.load(Ordering::SeqCst), 0, "opened while the failed store was still held");
    assert_eq!(world.get(&world.admin, "/v1/tenants/acme").await.status, StatusCode::OK);
    assert_eq!(world.run("acme", "commit", &json!({})).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_under_way_holds_back_the_opening_until_it_ends() {
    let world = World::new();
    for tenant in ["acme", "other"] {
        world.tenant(tenant).await;
    }
    let spinning = async {
        let reply = world.run("other", "commit", &json!({"do": "wait"})).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "it cannot have been committed: {reply:?}");
    };
    let failing = async {
        while world.script.running.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        world.disk.set(DiskMode::Broken);
        assert_eq!(world.run("acme", "commit", &json!({})).await.status, StatusCode::SERVICE_UNAVAILABLE);
        world.disk.set(DiskMode::Fast);
        sleep(A_WHILE).await;
        assert_eq!(world.opened.load(Ordering::SeqCst), 1, "opened before the run let the old store go");
        world.script.release();
        while world.get(&world.admin, "/readyz").await.status != StatusCode::OK {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), async { tokio::join!(spinning, failing) }).await.unwrap();
    assert_eq!((world.opened.load(Ordering::SeqCst), world.overlaps.load(Ordering::SeqCst)), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_does_not_hold_back_the_opening() {
    let world = World::new();
    for tenant in ["acme", "other"] {
        world.tenant(tenant).await;
    }
    let first = async { world.run("other", "commit", &json!({"do": "wait"})).await };
    let second = async {
        while world.script.running.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        world.run("other", "commit", &json!({})).await
    };
    let failing = async {
        sleep(A_WHILE).await;
        world.disk.set(DiskMode::Broken);
        assert_eq!(world.run("acme", "commit", &json!({})).await.status, StatusCode::SERVICE_UNAVAILABLE);
        world.disk.set(DiskMode::Fast);
        world.script.release();
    };
    let (first, second, ()) =
        timeout(Duration::from_secs(20), async { tokio::join!(first, second, failing) }).await.unwrap();
    for reply in [first, second] {
        assert_eq!((reply.status, reply.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"), "{reply:?}");
    }
    assert_eq!(world.script.requests.lock().len(), 2, "the one that waited ran on a failed store");
}

#[tokio::test(flavor = "multi_thread")]
async fn not_ready_while_runs_could_not_be_stopped() {
    let world = World::new();
    assert_eq!(world.get("", "/readyz").await.status, StatusCode::OK);
    *world.script.unfit.lock() = Some("no ticks".to_owned());
    assert_eq!(world.get("", "/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(world.get("", "/healthz").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_service_is_unavailable() {
    let world = World::new();
    world.service.close().await.unwrap();
    world.service.close().await.unwrap();
    let reply = world.get(&world.admin, "/v1/tenants").await;
    assert_eq!((reply.status, reply.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
}
