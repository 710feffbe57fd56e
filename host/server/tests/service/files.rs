//! Content of files on its way out.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::world::{World, request, send};

const PATH: &str = "/v1/tenants/acme/files/in/large";

async fn put(world: &World, content: Vec<u8>) {
    let reply = send(world.router(), request(Method::PUT, PATH, Some(&world.admin), Body::from(content))).await;
    assert!(reply.status.is_success(), "{reply:?}");
}

async fn get(world: &World) -> Body {
    let response = world.router().oneshot(request(Method::GET, PATH, Some(&world.admin), Body::empty())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body()
}

/// Callers who do not read what they asked for, as many as one likes: each holds one piece, and nobody else waits for them.
#[tokio::test]
async fn a_file_is_given_out_piece_by_piece() {
    let world = World::new();
    world.tenant("acme").await;
    let content: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    put(&world, content.clone()).await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(get(&world).await);
    }
    let mut body = get(&world).await;
    assert_eq!(body.size_hint().exact(), Some(3_000_000));
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let bytes = frame.unwrap().into_data().unwrap();
        assert!(bytes.len() <= 256 << 10, "{} bytes at once", bytes.len());
        read.extend_from_slice(&bytes);
    }
    assert!(read == content);
    for mut body in idle {
        assert!(body.frame().await.unwrap().is_ok());
    }
    put(&world, Vec::new()).await;
    assert_eq!(get(&world).await.collect().await.unwrap().to_bytes().len(), 0);
}

/// Half of one file and half of another is no answer.
#[tokio::test]
async fn a_file_that_is_replaced_meanwhile_breaks_off() {
    let world = World::new();
    world.tenant("acme").await;
    put(&world, vec![1; 1_000_000]).await;
    let mut body = get(&world).await;
    assert!(body.frame().await.unwrap().is_ok());
    put(&world, vec![2; 1_000_000]).await;
    assert!(body.collect().await.is_err());
}
