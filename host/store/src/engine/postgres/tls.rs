//! How a database is reached: what its URL says, and TLS that proves whose server it is.
//!
//! The URL has libpq's words (PostgreSQL documentation, 34.1.2), with one difference: what is encrypted is also verified.
//! Encryption towards whoever answers would not keep out those who can answer.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::words;
use crate::error::StoreError;

/// What goes over a connection once TLS stands, if there is any.
pub type TlsStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// A database that can be connected to.
#[derive(Clone)]
pub struct Database {
    pub(super) config: Config,
    tls: MakeRustlsConnect,
}

const FORMS: &str = "It is written as postgresql://backroom@db.internal/backroom, or for a server's socket in the folder \
                     /run/postgresql as postgresql:///backroom?host=/run/postgresql&user=backroom";

impl Database {
    /// Reads a URL or connection string.
    ///
    /// * `sslmode=require`, `verify-ca`, `verify-full`: TLS, and the server's certificate must be good for the host's name.
    /// * `sslmode=disable`: no TLS.
    /// * `sslmode=prefer` or none: TLS as above, but none over a Unix socket or to this machine itself.
    /// * `sslrootcert=FILE`: the authorities that are trusted, as PEM; without it, or as `system`, those of the machine.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL or the file with the authorities cannot be read. No error shows the URL, which
    /// may hold a password.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let (url, roots) = take_word(url, "sslrootcert");
        let (url, mode) = take_word(&url, "sslmode");
        let mut config: Config = url.parse().map_err(|error| {
            StoreError::Unavailable(format!("the database URL cannot be read: {}. {FORMS}", words(&error)))
        })?;
        // Written in a way that only the driver understands (`sslmode = require`), it counts as well.
        let asked = (config.get_ssl_mode() == SslMode::Require).then_some("require");
        config.ssl_mode(ssl_mode(&config, mode.as_deref().or(asked))?);
        let roots = match config.get_ssl_mode() {
            SslMode::Disable => RootCertStore::empty(),
            _ => trusted(roots.as_deref().filter(|roots| *roots != "system"))?,
        };
        let provider = rustls::crypto::ring::default_provider();
        let tls = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|why| StoreError::Unavailable(format!("TLS cannot be set up: {why}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config, tls: MakeRustlsConnect::new(tls) })
    }

    /// Whether what goes over its connections is encrypted, and the server's name verified.
    pub fn is_encrypted(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Disable
    }

    /// Connects. The connection is to be driven by a task of its own.
    ///
    /// # Errors
    /// What the driver reports.
    pub async fn connect(&self) -> Result<(Client, Connection<Socket, TlsStream>), Error> {
        self.config.connect(self.tls.clone()).await
    }
}

/// Whether there is TLS, by the word of the URL.
fn ssl_mode(config: &Config, word: Option<&str>) -> Result<SslMode, StoreError> {
    match word {
        Some("disable") => Ok(SslMode::Disable),
        Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
        Some("prefer") | None if is_near(config) => Ok(SslMode::Disable),
        Some("prefer") | None => Ok(SslMode::Require),
        Some(other) => Err(StoreError::Unavailable(format!(
            "the database URL says sslmode={other}, which is none of disable, prefer, require, verify-ca, verify-full"
        ))),
    }
}

/// Whether nothing of it leaves this machine.
fn is_near(config: &Config) -> bool {
    let near = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    };
    // An address goes before the name that is beside it.
    match config.get_hostaddrs() {
        [] => config.get_hosts().iter().all(near),
        addresses => addresses.iter().all(std::net::IpAddr::is_loopback),
    }
}

/// The authorities of a file, or those of this machine.
fn trusted(file: Option<&str>) -> Result<RootCertStore, StoreError> {
    let failed = |why: String| StoreError::Unavailable(why);
    let certificates: Vec<CertificateDer<'static>> = match file {
        Some(file) => CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|why| failed(format!("the authorities in {file} (sslrootcert) cannot be read: {why}")))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (_, refused) = roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(failed(match file {
            Some(file) => format!("{file} (sslrootcert) has no certificate that can be used; {refused} cannot be read"),
            None => {
                "this machine trusts no certificate authority: install the package `ca-certificates`, name a file with \
                     sslrootcert=FILE in the database URL, or say sslmode=disable there if nobody is in between"
                    .to_owned()
            }
        }));
    }
    Ok(roots)
}

/// Takes a word out of a URL (`?key=value&...`) or a connection string (`key=value ...`): the rest and its value.
fn take_word(text: &str, key: &str) -> (String, Option<String>) {
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let (head, tail, between) = match (is_url, text.split_once('?')) {
        (true, Some((head, tail))) => (head, tail, '&'),
        (true, None) => return (text.to_owned(), None),
        (false, _) => ("", text, ' '),
    };
    let (mut value, mut others) = (None, Vec::new());
    for word in tail.split(between) {
        match word.split_once('=') {
            Some((name, said)) if name.trim() == key => value = Some(said),
            _ => others.push(word),
        }
    }
    let mut rest = head.to_owned();
    if is_url && !others.is_empty() {
        rest.push('?');
    }
    rest.push_str(&others.join(&between.to_string()));
    let value = value.map(|value| match is_url {
        true => percent_decode(value),
        false => value.trim_matches('\'').to_owned(),
    });
    (rest, value)
}

/// `%2F` as `/`. What is no such escape stays as it is.
fn percent_decode(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let escape = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (escape, piece.get(2..)) {
            (Some(byte), Some(rest)) => {
                bytes.push(byte);
                bytes.extend_from_slice(rest.as_bytes());
            }
            _ => bytes.extend([b"%", piece.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_out_of_both_ways_to_write_it() {
        let rows = [
            ("postgres://u@h/db?sslmode=require&sslrootcert=%2Fa%20b%2Fca.pem", "postgres://u@h/db?sslmode=require"),
            ("postgresql://u@h/db?sslrootcert=/a b/ca.pem", "postgresql://u@h/db"),
            ("host=h sslrootcert='/ab/ca.pem' user=u", "host=h user=u"),
        ];
        let values = ["/a b/ca.pem", "/a b/ca.pem", "/ab/ca.pem"];
        for ((text, rest), value) in rows.into_iter().zip(values) {
            assert_eq!(take_word(text, "sslrootcert"), (rest.to_owned(), Some(value.to_owned())), "{text}");
        }
        for text in ["postgres://u:sslmode=x@h/db", "host=h user=u"] {
            assert_eq!(take_word(text, "sslmode"), (text.to_owned(), None));
        }
    }

    #[test]
    fn nothing_leaves_the_machine_unencrypted_unless_that_is_said() {
        let rows = [
            ("host=/run/postgresql user=u", SslMode::Disable),
            ("host=localhost", SslMode::Disable),
            ("postgres://u@127.0.0.1/db", SslMode::Disable),
            ("postgres://u@[::1]/db?sslmode=verify-full", SslMode::Require),
            ("host=localhost hostaddr=192.0.2.1", SslMode::Require),
            ("postgres://u@db.example/db", SslMode::Require),
            ("postgres://u@db.example,localhost/db?sslmode=prefer", SslMode::Require),
            ("postgres://u@db.example/db?sslmode=disable", SslMode::Disable),
        ];
        for (url, mode) in rows {
            let (rest, word) = take_word(url, "sslmode");
            assert_eq!(ssl_mode(&rest.parse().unwrap(), word.as_deref()).unwrap(), mode, "{url}");
        }
        let spaced = Database::parse("host=localhost sslmode = require sslrootcert=/no/such/file");
        assert!(spaced.err().unwrap().to_string().contains("/no/such/file"), "TLS was asked for");
        assert!(Database::parse("host=h sslmode=allow").err().unwrap().to_string().contains("sslmode=allow"));
    }
}
