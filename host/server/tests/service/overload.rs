//! A tenant whose guests spin holds up nobody else, and waits in a queue that has an end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use backroom_server::ServiceLimits;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::world::{Reply, World};

async fn world(limits: ServiceLimits) -> Arc<World> {
    let world = Arc::new(World::with_limits(limits));
    for tenant in ["spinning", "quiet"] {
        world.tenant(tenant).await;
    }
    world
}

/// Runs in the background.
fn spawn(world: &Arc<World>, tenant: &'static str, mode: &'static str, what: &'static str) -> JoinHandle<Reply> {
    let world = Arc::clone(world);
    tokio::spawn(async move { world.run(tenant, mode, &json!({"do": what})).await })
}

async fn until_running(world: &World, runs: usize) {
    let running = async {
        while world.script.running.load(Ordering::SeqCst) < runs {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(10), running).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_go_on_and_the_queue_has_an_end() {
    let limits = ServiceLimits { plans_per_tenant: 2, queue_per_tenant: 5, ..ServiceLimits::default() };
    let world = world(limits).await;
    let mut under_way: Vec<_> = (0..5).map(|_| spawn(&world, "spinning", "dry-run", "wait")).collect();
    until_running(&world, 2).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(world.script.most.load(Ordering::SeqCst), 2, "more dry runs of one tenant than it may have");

    let sixth = world.run("spinning", "dry-run", &json!({})).await;
    assert_eq!((sixth.status, sixth.code()), (StatusCode::TOO_MANY_REQUESTS, "too-many-requests"));

    assert!(sixth.header(axum::http::header::RETRY_AFTER).parse::<u32>().unwrap() > 0, "{sixth:?}");
    let figures = world.get(&world.admin, "/v1/figures").await;
    assert_eq!(figures.body["admission"]["turned-away"], 1, "{figures:?}");

    let begun = Instant::now();
    assert_eq!(world.run("quiet", "commit", &json!({})).await.status, StatusCode::CREATED);
    assert_eq!(world.get(&world.admin, "/v1/tenants/spinning/runs").await.status, StatusCode::OK);
    assert_eq!(world.get("", "/healthz").await.status, StatusCode::OK);
    assert_eq!(world.get("", "/readyz").await.status, StatusCode::OK);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    world.script.release();
    for run in under_way.drain(..) {
        assert_eq!(run.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(world.run("spinning", "dry-run", &json!({})).await.status, StatusCode::OK, "the queue is free again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_a_tenant_wait_without_a_thread_and_not_for_ever() {
    let limits = ServiceLimits { queue_time: Duration::from_millis(200), ..ServiceLimits::default() };
    let world = world(limits).await;
    let first = spawn(&world, "spinning", "commit", "wait");
    until_running(&world, 1).await;
    let waiting: Vec<_> = (0..8).map(|_| spawn(&world, "spinning", "commit", "commit")).collect();
    for run in waiting {
        let reply = run.await.unwrap();
        assert_eq!((reply.status, reply.code()), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
    }
    assert_eq!(world.script.most.load(Ordering::SeqCst), 1, "two writers of one tenant at once");
    assert_eq!(world.run("spinning", "dry-run", &json!({})).await.status, StatusCode::OK, "a dry run needs no turn");
    world.script.release();
    assert_eq!(first.await.unwrap().status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_of_all_tenants_stay_below_the_pool() {
    let limits = ServiceLimits { guests: 3, plans_per_tenant: 2, ..ServiceLimits::default() };
    let world = world(limits).await;
    let tenants = ["spinning", "quiet"];
    let runs: Vec<_> = (0..8).map(|n| spawn(&world, tenants[n % 2], "dry-run", "wait")).collect();
    until_running(&world, 3).await;
    sleep(Duration::from_millis(100)).await;
    world.script.release();
    for run in runs {
        assert_eq!(run.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(world.script.most.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_gives_its_place_back_only_when_the_run_ends() {
    let limits = ServiceLimits { plans_per_tenant: 1, queue_per_tenant: 1, ..ServiceLimits::default() };
    let world = world(limits).await;
    let gone = spawn(&world, "spinning", "dry-run", "wait");
    until_running(&world, 1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let next = world.run("spinning", "dry-run", &json!({})).await;
    assert_eq!(next.status, StatusCode::TOO_MANY_REQUESTS, "the run still has its thread");
    world.script.release();
    let free = async {
        while world.run("spinning", "dry-run", &json!({})).await.status != StatusCode::OK {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), free).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_takes_too_long_says_so() {
    let limits = ServiceLimits { request_time: Duration::from_millis(100), ..ServiceLimits::default() };
    let world = world(limits).await;
    let reply = world.run("spinning", "dry-run", &json!({"do": "wait"})).await;
    world.script.release();
    assert_eq!((reply.status, reply.code()), (StatusCode::SERVICE_UNAVAILABLE, "timeout"));
}
