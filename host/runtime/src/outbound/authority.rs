//! Whose certificates count: those of the public authorities, but for hosts that an operator names one of their own for.

use std::fmt;

use rustls::{CertificateError, RootCertStore};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// The authorities for one host, in place of the public ones: nobody else can vouch for it, and these for nobody else.
#[derive(Clone)]
pub struct OwnAuthority {
    host: String,
    tls: TlsConfig,
}

impl OwnAuthority {
    /// The certificates of authorities in `pem` for `host`, a name or an address in small letters, as in grants.
    ///
    /// # Errors
    /// For people: no such host, no PEM, no certificate in it, or one that cannot be that of an authority.
    pub fn new(host: &str, pem: &[u8]) -> Result<Self, String> {
        if host == "*" || !backroom_domain::outbound::is_host(host) {
            return Err(format!("{host:?} is no host: a name or an address in small letters"));
        }
        let (mut roots, mut taken) = (Vec::new(), RootCertStore::empty());
        for item in parse_pem(pem) {
            let PemItem::Certificate(certificate) = item.map_err(|why| why.to_string())? else { continue };
            taken.add(certificate.der().to_vec().into()).map_err(|why| why.to_string())?;
            roots.push(certificate);
        }
        if roots.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        Ok(Self { host: host.to_owned(), tls: Self::tls(roots) })
    }

    fn tls(roots: Vec<Certificate<'static>>) -> TlsConfig {
        TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build()
    }

    /// How to speak with `host`, if it is this one.
    pub(super) fn of(&self, host: &str) -> Option<&TlsConfig> {
        (self.host == host).then_some(&self.tls)
    }
}

impl fmt::Debug for OwnAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnAuthority").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Why the other side did not prove who it is, if that is what went wrong. Then it was sent nothing of the request.
pub(super) fn unproven(error: &ureq::Error) -> Option<&'static str> {
    let rustls = match error {
        ureq::Error::Rustls(error) => error,
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref()?,
        _ => return None,
    };
    let rustls::Error::InvalidCertificate(why) = rustls else { return None };
    Some(match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "it is for another name",
        CertificateError::UnknownIssuer => "no authority that counts for this host vouches for it",
        _ => "it is malformed, or not of a kind that is taken",
    })
}
