//! Releases put to use: more rights are taken on purpose alone, and what is over is said.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::world::{World, request, send};

async fn release(world: &World, component: &'static str) -> String {
    let reply = send(world.router(), request(Method::POST, "/v1/plugins", Some(&world.admin), component.into())).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    reply.body["digest"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_release_that_wants_more_is_installed_only_where_that_is_accepted() {
    let world = World::new();
    world.tenant("acme").await;
    let (modest, greedy) = (release(&world, "a component").await, release(&world, "wants all there is").await);
    let path = "/v1/tenants/acme/installations/monthly";
    let install = async |body| world.put(&world.admin, path, &body).await;
    assert_eq!(install(json!({ "release": modest })).await.status, StatusCode::CREATED);
    for body in [json!({ "release": greedy }), json!({ "release": greedy, "accept-rights": false })] {
        let refused = install(body).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::UNPROCESSABLE_ENTITY, "rights-grow"), "{refused:?}");
        assert!(refused.body["errors"].as_array().unwrap().len() > 3, "{refused:?}");
    }
    assert_eq!(world.get(&world.admin, path).await.body["release"], modest);
    let accepted = install(json!({ "release": greedy, "accept-rights": true })).await;
    assert_eq!((accepted.status, &accepted.body["release"]), (StatusCode::CREATED, &json!(greedy)), "{accepted:?}");
    assert!(!accepted.body["rights"]["change"]["added"].as_array().unwrap().is_empty(), "{accepted:?}");
    // Back to less needs nobody's word, and acceptance is not remembered.
    assert_eq!(install(json!({ "release": modest })).await.status, StatusCode::CREATED);
    assert_eq!(install(json!({ "release": greedy })).await.code(), "rights-grow");
}

#[tokio::test]
async fn grants_that_are_over_are_named() {
    let world = World::new();
    world.tenant("acme").await;
    let release = release(&world, "a component").await;
    let grants = json!([
        { "why": "Last year's accounts.", "state": true, "owner": "Ann", "expires": "2020-12-31" },
        { "why": "This century's.", "state": true, "expires": "2099-12-31" },
    ]);
    let body = json!({ "release": release, "grants": grants });
    let installed = world.put(&world.admin, "/v1/tenants/acme/installations/monthly", &body).await;
    let expected = json!(["Last year's accounts. [Ann]: up to and on 2020-12-31"]);
    assert_eq!(installed.body["expired"], expected, "{installed:?}");
}

#[tokio::test]
async fn a_tenant_is_bounded_by_the_provider_alone() {
    let world = World::new();
    world.tenant("acme").await;
    let operator = world.key("op", "operator", "acme").await;
    let path = "/v1/tenants/acme/limits";
    assert_eq!(world.get(&operator, path).await.body, json!(null));
    let body = json!({ "tenant": "acme", "limits": { "day-fuel": 5_000_000, "memory": 1_048_576 } });
    assert_eq!(world.put(&operator, "/v1/tenant-limits", &body).await.code(), "role-denied");
    let set = world.put(&world.admin, "/v1/tenant-limits", &body).await;
    assert_eq!(set.status, StatusCode::CREATED, "{set:?}");
    assert_eq!(world.put(&world.admin, "/v1/tenant-limits", &body).await.status, StatusCode::OK);
    let shown = world.get(&operator, path).await.body;
    assert_eq!((&shown["limits"]["day-fuel"], &shown["limits"]["memory"]), (&json!(5_000_000), &json!(1_048_576)));
    assert_eq!(shown["limits"]["wall-ms"], 30_000, "what is not said is not lowered");
    for (limits, status, code) in [
        (json!({ "wall-ms": 30_001, "depth": 101 }), 422, "limit-invalid"),
        (json!({ "colour": 1 }), 422, "body-invalid"),
    ] {
        let refused =
            world.put(&world.admin, "/v1/tenant-limits", &json!({ "tenant": "acme", "limits": limits })).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (status, code), "{refused:?}");
    }
    let nobody = world.put(&world.admin, "/v1/tenant-limits", &json!({ "tenant": "none" })).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}
