//! API keys: listed without their secrets, and withdrawn.

use axum::body::Body;
use axum::http::{Method, StatusCode};

use crate::world::{Reply, World, request, send};

async fn withdraw(world: &World, key: &str, id: &str) -> Reply {
    send(world.router(), request(Method::DELETE, &format!("/v1/keys/{id}"), Some(key), Body::empty())).await
}

#[tokio::test]
async fn a_withdrawn_key_opens_nothing() {
    let world = World::new();
    world.tenant("acme").await;
    let reader = world.key("auditor", "reader", "acme").await;
    let list = world.get(&world.admin, "/v1/keys").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 2, "{list:?}");
    let text = list.body.to_string();
    assert!(!text.contains(&reader) && !text.contains("secret") && !text.contains("hash"), "{text}");
    let id_of = |name: &str| {
        let row = list.body["items"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
        row["id"].as_str().unwrap().to_owned()
    };
    let path = "/v1/tenants/acme";
    assert_eq!(world.get(&reader, path).await.status, StatusCode::OK);
    assert_eq!(withdraw(&world, &reader, &id_of("auditor")).await.code(), "role-denied");
    let reply = withdraw(&world, &world.admin, &id_of("auditor")).await;
    assert_eq!((reply.status, reply.body["name"].as_str()), (StatusCode::OK, Some("auditor")), "{reply:?}");
    assert_eq!(world.get(&reader, path).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(withdraw(&world, &world.admin, &id_of("auditor")).await.status, StatusCode::NOT_FOUND);
    let last = withdraw(&world, &world.admin, &id_of("admin")).await;
    assert_eq!((last.status, last.code()), (StatusCode::UNPROCESSABLE_ENTITY, "last-admin-key"));
    assert_eq!(world.get(&world.admin, "/v1/keys").await.body["items"].as_array().unwrap().len(), 1);
}
