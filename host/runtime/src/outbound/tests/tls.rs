//! Requests over TLS: to servers of this machine whose certificates are good, bad, and by authorities of the test's own.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;

/// An authority: its certificate, and what it vouches with.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::new(Vec::new()).unwrap());
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { pem: params.self_signed(&key).unwrap().pem(), issuer: Issuer::new(params, key) }
    }

    /// A certificate that it vouches for.
    fn certificate(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        Identity { chain: vec![params.signed_by(&key, &self.issuer).unwrap().der().to_vec()], key: key.serialize_der() }
    }

    /// It vouches for this host.
    fn own(&self, host: &str) -> OwnAuthority {
        OwnAuthority::new(host, self.pem.as_bytes()).unwrap()
    }
}

/// What a server says that it is.
struct Identity {
    chain: Vec<Vec<u8>>,
    key: Vec<u8>,
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

/// One that says for itself who it is.
fn self_signed(name: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    Identity { chain: vec![params(name).self_signed(&key).unwrap().der().to_vec()], key: key.serialize_der() }
}

/// A server that speaks TLS: what was said to it inside, what came over the wire, and how many connections are through.
struct Sealed {
    port: u16,
    said: Arc<Mutex<Vec<String>>>,
    wire: Arc<Mutex<Vec<u8>>>,
    through: Arc<AtomicUsize>,
}

impl Sealed {
    fn new(identity: Identity) -> Self {
        Self::answering(identity, rustls::ALL_VERSIONS, ok("sealed"))
    }

    fn answering(identity: Identity, versions: &[&'static SupportedProtocolVersion], answer: String) -> Self {
        let chain = identity.chain.into_iter().map(Into::into).collect();
        let key = PrivateKeyDer::try_from(identity.key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (said, wire, through) = (Arc::default(), Arc::default(), Arc::default());
        let server = Self { port, said: Arc::clone(&said), wire: Arc::clone(&wire), through: Arc::clone(&through) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut tapped = Tapped(stream.unwrap(), Arc::clone(&wire));
                let mut tls = rustls::Stream::new(&mut connection, &mut tapped);
                // A client that does not trust it goes away, which is an error here.
                if let Some(request) = read(&mut tls).ok().filter(|request| !request.is_empty()) {
                    said.lock().push(request);
                    drop(tls.write_all(answer.as_bytes()));
                }
                through.fetch_add(1, Ordering::SeqCst);
            }
        });
        server
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/", self.port)
    }

    /// What was said to it, once so many connections are through.
    fn said(&self, connections: usize) -> Vec<String> {
        while self.through.load(Ordering::SeqCst) < connections {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.said.lock().clone()
    }
}

/// A connection whose bytes, as they come in, are kept.
struct Tapped(TcpStream, Arc<Mutex<Vec<u8>>>);

impl io::Read for Tapped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(into)?;
        self.1.lock().extend_from_slice(&into[..count]);
        Ok(count)
    }
}

impl io::Write for Tapped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A client for which every name leads to this machine.
fn trusting(ports: &[u16], authorities: Vec<OwnAuthority>) -> Client {
    let named = ports.iter().map(|port| format!("127.0.0.1/32:{port}").parse().unwrap()).collect();
    let options = HttpOptions { private_targets: named, authorities, per_tenant: 2 };
    Client::with_names(&options, names(&[&["127.0.0.1"]]))
}

/// A request with a secret in a header and one in its body.
fn secretive(url: String) -> Request {
    Request {
        method: Method::Post,
        headers: vec![("Authorization".into(), "Bearer {{secret:bank}}".into())],
        body: b"token={{secret:bank}}".to_vec(),
        ..get(url)
    }
}

/// How it ended, and whether the other side may have seen something.
fn outcome(client: &Client, request: &Request) -> (Result<Response, Error>, bool) {
    let work = work(Rights::all());
    let checked = Checked::of(request, work.rights()).unwrap();
    match client.send(TENANT, &work, request, &checked, 1000, Instant::now() + Duration::from_secs(20)) {
        Ok(sent) => (sent.answer, sent.went_out),
        Err(_) => panic!("no answer"),
    }
}

#[test]
fn a_host_with_a_good_certificate_is_spoken_to() {
    let authority = Authority::new("ours");
    let rows: [(&str, &str, &[&SupportedProtocolVersion]); 5] = [
        ("bank.example", "bank.example", rustls::ALL_VERSIONS),
        ("bank.example", "bank.example", &[&rustls::version::TLS12]),
        ("bank.example", "bank.example", &[&rustls::version::TLS13]),
        ("*.bank.example", "pay.bank.example", rustls::ALL_VERSIONS),
        ("127.0.0.1", "127.0.0.1", rustls::ALL_VERSIONS),
    ];
    for (name, host, versions) in rows {
        let server = Sealed::answering(authority.certificate(params(name)), versions, ok("it is s3cr3t-token"));
        let client = trusting(&[server.port], vec![authority.own(host)]);
        let (answer, went_out) = outcome(&client, &secretive(server.url(host)));
        assert_eq!(answer.unwrap().body, b"it is {{secret:bank}}", "{name}");
        let said = server.said(1).remove(0);
        assert!(
            went_out && said.contains("Bearer s3cr3t-token") && said.ends_with("token=s3cr3t-token"),
            "{name}: {said}"
        );
        assert!(!holds(&server.wire.lock(), b"s3cr3t"), "{name}: it stood on the wire as it is");
    }
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(bytes, what).is_some()
}

/// Whatever is wrong with a certificate: a code of its own, why in words, and not a byte of the request on the other side.
#[test]
fn a_host_that_does_not_prove_who_it_is_is_sent_nothing() {
    let (authority, other) = (Authority::new("ours"), Authority::new("theirs"));
    let by = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = params("bank.example");
        change(&mut params);
        authority.certificate(params)
    };
    let ours = || vec![authority.own("bank.example")];
    let unknown = "no authority that counts";
    let rows: [(&str, Identity, Vec<OwnAuthority>, &str); 12] = [
        ("another name", authority.certificate(params("other.example")), ours(), "it is for another name"),
        ("a name below", authority.certificate(params("*.bank.example")), ours(), "it is for another name"),
        ("every name at the top", authority.certificate(params("*.example")), ours(), "it is for another name"),
        ("expired", by(&|params| params.not_after = date_time_ymd(2020, 1, 1)), ours(), "it has expired"),
        ("not yet", by(&|params| params.not_before = date_time_ymd(3000, 1, 1)), ours(), "it is not valid yet"),
        ("another authority", other.certificate(params("bank.example")), ours(), unknown),
        ("one of the same name", Authority::new("ours").certificate(params("bank.example")), ours(), ""),
        ("nobody but itself", self_signed("bank.example"), ours(), ""),
        ("no authority named", by(&|_| {}), Vec::new(), unknown),
        ("one for another host", by(&|_| {}), vec![authority.own("other.example")], unknown),
        (
            "not for servers",
            by(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            ours(),
            "not of a kind",
        ),
        ("by one that may not", by_a_host(&authority), ours(), ""),
    ];
    for (what, identity, authorities, why) in rows {
        let server = Sealed::new(identity);
        let client = trusting(&[server.port], authorities);
        let (answer, went_out) = outcome(&client, &secretive(server.url("bank.example")));
        let error = answer.unwrap_err();
        assert_eq!((error.code(), went_out), ("certificate-refused", false), "{what}: {error}");
        assert!(error.to_string().contains(why), "{what}: {error}");
        assert_eq!(server.said(1), [] as [String; 0], "{what}");
        let wire = server.wire.lock();
        assert!(!wire.is_empty() && !holds(&wire, b"s3cr3t") && !holds(&wire, b"POST"), "{what}");
    }
}

/// A certificate that is vouched for by that of a host, which is no authority.
fn by_a_host(authority: &Authority) -> Identity {
    let (key, middle) = (KeyPair::generate().unwrap(), params("middle.example"));
    let middle_certificate = middle.signed_by(&key, &authority.issuer).unwrap().der().to_vec();
    let middle = Authority { pem: String::new(), issuer: Issuer::new(middle, key) };
    let mut identity = middle.certificate(params("bank.example"));
    identity.chain.push(middle_certificate);
    identity
}

/// An authority for one host is none for another, and takes the place of the public ones for its own.
#[test]
fn each_hop_of_a_redirect_proves_who_it_is() {
    let (authority, other) = (Authority::new("ours"), Authority::new("theirs"));
    let end = Sealed::new(other.certificate(params("end.example")));
    let redirect = redirect(307, &end.url("end.example"));
    let start = Sealed::answering(authority.certificate(params("bank.example")), rustls::ALL_VERSIONS, redirect);
    let request = Request { body: b"plain".to_vec(), ..secretive(start.url("bank.example")) };
    let ports = [start.port, end.port];
    for wrong in [vec![], vec![authority.own("end.example")], vec![other.own("bank.example.end")]] {
        let all = [vec![authority.own("bank.example")], wrong].concat();
        let (answer, went_out) = outcome(&trusting(&ports, all), &request);
        assert_eq!((answer.unwrap_err().code(), went_out), ("certificate-refused", true));
    }
    assert_eq!((start.said(3).len(), end.said(3).len()), (3, 0));
    let both = vec![authority.own("bank.example"), other.own("end.example")];
    assert_eq!(outcome(&trusting(&ports, both), &request).0.unwrap().body, b"sealed");
    let said = end.said(4).remove(0);
    assert!(said.ends_with("plain") && !said.contains("s3cr3t"), "{said}");
}

/// It was not sent, so the next attempt may: a certificate that was put in order meanwhile counts.
#[test]
fn what_was_refused_for_its_certificate_is_not_kept() {
    let authority = Authority::new("ours");
    let server = Sealed::new(authority.certificate(params("bank.example")));
    let (work, tape) = (work(Rights::all()), Arc::new(Tape::default()));
    let request = secretive(server.url("bank.example"));
    let ask = |authorities: Vec<OwnAuthority>| {
        let client = Arc::new(trusting(&[server.port], authorities));
        let checked = Checked::of(&request, work.rights()).unwrap();
        let mut calls = Calls::live(client, TENANT, false, Arc::clone(&tape));
        let until = Instant::now() + Duration::from_secs(20);
        match calls.answer(&work, request.clone(), &checked, until) {
            Ok(response) => response.status.to_string(),
            Err(HostError::Business(error)) => error.code().to_owned(),
            Err(HostError::Fault(fault)) => panic!("{fault}"),
        }
    };
    assert_eq!(ask(Vec::new()), "certificate-refused");
    assert!(tape.is_empty());
    assert_eq!(ask(vec![authority.own("bank.example")]), "200");
    assert!(!tape.is_empty());
    assert_eq!(server.said(2).len(), 1);
}

/// Something that answers in the clear where TLS is expected.
#[test]
fn what_is_no_tls_is_sent_nothing_either() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let plain = std::thread::spawn(move || {
        let (mut stream, mut seen) = (listener.accept().unwrap().0, vec![0; 4096]);
        let count = stream.read(&mut seen).unwrap();
        stream.write_all(ok("plain").as_bytes()).unwrap();
        seen.truncate(count);
        // Whatever comes until the other side goes away, in whatever manner.
        drop(stream.read_to_end(&mut seen));
        seen
    });
    let client = trusting(&[port], vec![Authority::new("ours").own("bank.example")]);
    let (answer, _) = outcome(&client, &secretive(format!("https://bank.example:{port}/")));
    assert_eq!(answer.unwrap_err().code(), "http-failed");
    let seen = plain.join().unwrap();
    assert!(!seen.is_empty() && !holds(&seen, b"s3cr3t") && !holds(&seen, b"POST"));
}

#[test]
fn what_is_no_authority_is_told_apart() {
    let authority = Authority::new("ours");
    for (host, pem) in [
        ("", authority.pem.as_str()),
        ("*", &authority.pem),
        ("Bank.example", &authority.pem),
        ("bank.example:443", &authority.pem),
        ("bank.example", ""),
        ("bank.example", "what?"),
        ("bank.example", &KeyPair::generate().unwrap().serialize_pem()),
        ("bank.example", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("bank.example", "-----BEGIN CERTIFICATE-----\nAAAA\n"),
    ] {
        assert!(OwnAuthority::new(host, pem.as_bytes()).is_err(), "{host}: {pem}");
    }
    // Several in one file; whatever else there is in it is not looked at.
    let all = [authority.pem.as_str(), "words\n", &Authority::new("theirs").pem].concat();
    OwnAuthority::new("bank.example", all.as_bytes()).unwrap();
}
