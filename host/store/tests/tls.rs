//! TLS to the database: a real server with certificates of a test's own authority.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "common/server.rs"]
mod server;

use backroom_store::{Options, PostgresOptions, Store, StoreError, TenantNo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use server::Server;

/// An authority, and what it says of a server of that name: certificate and key, as PEM.
fn issued(name: &str) -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    (authority.pem(), certificate.pem(), key.serialize_pem())
}

fn open(url: &str) -> Result<Store, StoreError> {
    Store::open_postgres(url, &Options::default(), &PostgresOptions::default())
}

#[test]
fn what_is_encrypted_is_verified() {
    let (authority, certificate, key) = issued("localhost");
    let Some(server) = Server::with_tls(&certificate, &key) else { return };
    let database = server.database();
    let dir = tempfile::tempdir().unwrap();
    let (trusted, foreign) = (dir.path().join("ca.pem"), dir.path().join("other.pem"));
    std::fs::write(&trusted, authority).unwrap();
    std::fs::write(&foreign, issued("localhost").0).unwrap();
    let url = |host: &str, words: &str| {
        format!("postgres://backroom@{host}:{}/{database}?hostaddr=127.0.0.1&{words}", server.port())
    };
    let roots = |file: &std::path::Path| format!("sslmode=verify-full&sslrootcert={}", file.display());

    let store = open(&url("localhost", &roots(&trusted))).unwrap();
    assert_eq!(store.head(TenantNo(1)).unwrap().number, 0);
    let ssl =
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity a USING (pid) WHERE application_name = 'backroom'";
    assert_eq!(
        server.sql_as_superuser("postgres", ssl),
        "t",
        "every connection of the store, the one that listens included"
    );
    store.close().unwrap();

    let refused = |url: &str| open(url).unwrap_err().to_string();
    let unknown = refused(&url("localhost", &roots(&foreign)));
    assert!(unknown.contains("invalid peer certificate"), "an authority that is not trusted: {unknown}");
    let other = refused(&url("db.example", &roots(&trusted)));
    assert!(other.contains("not valid for name"), "a name that the certificate is not for: {other}");
    let own = refused(&url("localhost", "sslmode=require&sslrootcert=/no/such/file"));
    assert!(own.contains("/no/such/file"), "{own}");
    for message in [unknown, other, own] {
        assert!(!message.contains("backroom@"), "no error shows the URL: {message}");
    }
    // This machine itself: nothing has to be said.
    open(&url("localhost", "")).unwrap().close().unwrap();
}

#[test]
fn a_server_without_tls_is_not_used_where_it_is_asked_for() {
    let (authority, certificate, key) = issued("localhost");
    let Some(server) = Server::with_tls(&certificate, &key).map(Server::without_tls) else { return };
    let database = server.database();
    let dir = tempfile::tempdir().unwrap();
    let trusted = dir.path().join("ca.pem");
    std::fs::write(&trusted, authority).unwrap();
    let url = format!(
        "postgres://backroom@localhost:{}/{database}?sslmode=require&sslrootcert={}",
        server.port(),
        trusted.display()
    );
    let refused = open(&url).unwrap_err().to_string();
    assert!(refused.contains("does not support TLS") && refused.contains("sslmode=disable"), "{refused}");
}
