//! Erasing a person over HTTP.

use axum::http::StatusCode;
use serde_json::json;

use crate::world::World;

const WORKERS: &str = "id,name,email,bank-account\nW/1,Ada Lovell,ada@example.com,TEST-1\nW/2,Bo Lind,,\n";
const EMPLOYMENTS: &str = "worker,first-day,last-day,position,place,cost-center,salary,currency\n\
    W/1,2024-01-01,2024-12-31,CPA,remote,CC-1,7000.00,USD\nW/2,2024-01-01,,CPA,remote,CC-1,7000.00,USD\n";

#[tokio::test]
async fn a_person_is_erased_once_and_reads_as_erased() {
    let world = World::new();
    world.tenant("acme").await;
    world.import("acme", &[("workers.csv", WORKERS), ("employments.csv", EMPLOYMENTS)]).await;
    let (reader, operator) = (world.key("rd", "reader", "acme").await, world.key("op", "operator", "acme").await);
    let erase = |worker: &str| format!("/v1/tenants/acme/hr/workers/{worker}/erasure");
    let because = json!({ "reason": "asked for" });

    let refused = [
        (&reader, "W%2F1", because.clone(), StatusCode::FORBIDDEN, "role-denied"),
        (&operator, "W%2F1", json!({}), StatusCode::UNPROCESSABLE_ENTITY, ""),
        (&operator, "W%2F1", json!({ "reason": "" }), StatusCode::UNPROCESSABLE_ENTITY, "text-invalid"),
        (&operator, "W%2F9", because.clone(), StatusCode::NOT_FOUND, "not-found"),
        (&operator, "W%2F2", because.clone(), StatusCode::UNPROCESSABLE_ENTITY, "retention-duty"),
        (
            &operator,
            "W%2F1",
            json!({ "reason": "x", "not-before": "2999-01-01" }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "retention-duty",
        ),
    ];
    for (key, worker, body, status, code) in refused {
        let reply = world.post(key, &erase(worker), &body).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert!(code.is_empty() || reply.code() == code, "{reply:?}");
    }
    let seen = world.get(&operator, "/v1/tenants/acme/hr/workers/W%2F1").await;
    assert_eq!((&seen.body["name"], seen.body.get("erased")), (&json!("Ada Lovell"), None));

    let first = world.post(&operator, &erase("W%2F1"), &because).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    assert_eq!(first.body["worker"], "W/1");
    assert_eq!((&first.body["actor"], &first.body["replayed"]), (&json!("op"), &json!(false)));
    let again = world.post(&world.admin, &erase("W%2F1"), &json!({ "reason": "another" })).await;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");
    assert_eq!((&again.body["reason"], &again.body["replayed"]), (&json!("asked for"), &json!(true)));

    for key in [&operator, &reader] {
        let seen = world.get(key, "/v1/tenants/acme/hr/workers/W%2F1").await;
        assert_eq!((&seen.body["name"], &seen.body["erased"]), (&json!("(erased)"), &json!(true)));
        assert!(seen.body.get("email").is_none() && seen.body.get("bank-account").is_none());
        let seen = world.get(key, "/v1/tenants/acme/hr/employments").await;
        let (left, stays) = (&seen.body["items"][0], &seen.body["items"][1]);
        assert_eq!((&left["worker"], &left["position"], &left["erased"]), (&json!("W/1"), &json!("CPA"), &json!(true)));
        assert!(left.get("salary").is_none() && stays.get("erased").is_none());
    }
    let verified = world.post(&world.admin, "/v1/log/verify", &json!({})).await;
    assert_eq!(verified.body["sound"], true, "{verified:?}");
}
