//! Requests against servers on this machine that answer, lead astray, stall and flood.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what these tests set up is theirs")]

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backroom_domain::outbound::{HttpTarget, Method};
use backroom_domain::rights::{Grant, Layers, Pattern, Rights, SecretUse};
use backroom_domain::{BusinessDate, Error, Id};
use backroom_office::calls::{Request, Response};
use backroom_office::{Caller, Office, Work};
use backroom_store::{Store, TenantNo};
use parking_lot::Mutex;

use super::client::{Client, HttpOptions};
use super::lookup::Names;
use super::*;
use crate::error::HostError;

mod kept;
mod tls;

const TENANT: TenantNo = TenantNo(1);
const NOW: backroom_domain::Instant = backroom_domain::Instant(1);

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

fn caller(rights: Rights) -> Caller {
    Caller { actor: "test".into(), layers: vec![Arc::new(rights)], installation: None, run: None }
}

/// A unit of work of a tenant that has the secret `bank`.
fn work(rights: Rights) -> Work {
    let store = Store::memory();
    let office = Office::new(store.clone());
    office.set_secret(TENANT, caller(Rights::all()), NOW, id("bank"), "s3cr3t-token").unwrap();
    Work::new(store.read(TENANT).unwrap(), caller(rights), NOW, BusinessDate::parse("2026-06-30", "d").unwrap())
}

/// A server on this machine: what it was sent, and how it answers. Every answer ends the connection.
struct Other {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Other {
    fn new(answer: impl Fn(&str, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        let (kept, answer) = (Arc::clone(&seen), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let Ok(request) = read(&stream) else { return };
                    kept.lock().push(request.clone());
                    // The other side may have gone away.
                    drop(answer(&request, &mut stream));
                });
            }
        });
        Self { port, seen }
    }

    /// One that always says the same.
    fn saying(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(move |_, stream| stream.write_all(text.as_bytes()))
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }

    fn named(&self) -> PrivateTarget {
        format!("127.0.0.1/32:{}", self.port).parse().unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://bank.example:{}{path}", self.port)
    }
}

/// A whole request: head, and as much body as it says.
fn read(stream: impl io::Read) -> io::Result<String> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(head + &String::from_utf8_lossy(&body))
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn redirect(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

/// Names that lead where the test says, one answer after the other, the last one for ever.
struct Made {
    answers: Vec<Vec<SocketAddr>>,
    asked: AtomicUsize,
}

impl Names for Made {
    fn find(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let at = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        // The port is that of the request; the one that was written is not looked at.
        Ok(self.answers[at].iter().map(|address| SocketAddr::new(address.ip(), port)).collect())
    }
}

fn names(answers: &[&[&str]]) -> Arc<Made> {
    let address = |text: &&str| SocketAddr::new(text.parse().unwrap(), 0);
    let answers = answers.iter().map(|one| one.iter().map(address).collect()).collect();
    Arc::new(Made { answers, asked: AtomicUsize::new(0) })
}

fn client(named: &[PrivateTarget], names: Arc<dyn Names>) -> Client {
    Client::with_names(&HttpOptions { private_targets: named.to_vec(), per_tenant: 2, ..HttpOptions::default() }, names)
}

/// A client for which every name leads to this machine, and only to these servers.
fn local(others: &[&Other]) -> Client {
    let named: Vec<_> = others.iter().map(|other| other.named()).collect();
    client(&named, names(&[&["127.0.0.1"]]))
}

fn get(url: impl Into<String>) -> Request {
    Request { method: Method::Get, url: url.into(), headers: Vec::new(), body: Vec::new(), timeout_ms: 5_000 }
}

fn send_as(client: &Client, work: &Work, request: &Request) -> Result<Response, Error> {
    let checked = Checked::of(request, work.rights())?;
    let until = Instant::now() + Duration::from_secs(20);
    match client.send(TENANT, work, request, &checked, 1000, until) {
        Ok(sent) => sent.answer,
        Err(HostError::Business(error)) => Err(error),
        Err(HostError::Fault(fault)) => panic!("{fault}"),
    }
}

fn send(client: &Client, request: &Request) -> Result<Response, Error> {
    send_as(client, &work(Rights::all()), request)
}

fn code(result: Result<Response, Error>) -> String {
    match result {
        Ok(response) => format!("{}", response.status),
        Err(error) => error.code().to_owned(),
    }
}

#[test]
fn a_request_goes_out_as_it_is_and_an_answer_comes_back_filtered() {
    let other = Other::saying(
        "HTTP/1.1 404 Gone\r\nContent-Type: text/plain\r\nSet-Cookie: a=b\r\nWWW-Authenticate: Basic\r\nX-Id: 7\r\ncontent-length: 4\r\n\r\nnone",
    );
    let request = Request {
        method: Method::Post,
        headers: vec![("X-Mine".into(), "1".into())],
        body: b"hello".to_vec(),
        ..get(other.url("/a/b?c=d"))
    };
    let response = send(&local(&[&other]), &request).unwrap();
    assert_eq!((response.status, response.body.as_slice()), (404, b"none".as_slice()));
    let mut names: Vec<_> = response.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    names.sort();
    assert_eq!(names, ["content-length=4", "content-type=text/plain", "x-id=7"]);
    let seen = other.seen().remove(0);
    assert!(seen.starts_with("POST /a/b?c=d HTTP/1.1\r\n") && seen.ends_with("\r\n\r\nhello"), "{seen}");
    assert!(seen.to_ascii_lowercase().contains("x-mine: 1\r\n"), "{seen}");
    for (method, body) in [(Method::Get, ""), (Method::Delete, ""), (Method::Put, "x"), (Method::Patch, "y")] {
        let request = Request { method, body: body.into(), ..get(other.url("/")) };
        assert_eq!(code(send(&local(&[&other]), &request)), "404", "{method}");
    }
}

#[test]
fn nothing_is_sent_to_an_address_that_is_not_public() {
    let other = Other::saying(ok("inside"));
    let port = other.port;
    // Not named: as literals in every form, and behind names.
    let none = client(&[], names(&[&["127.0.0.1"]]));
    assert_eq!(code(send(&none, &get(other.url("/")))), "address-refused");
    let system = Client::new(&HttpOptions::default());
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "[::]",
        "169.254.169.254",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ] {
        let request = Request { timeout_ms: 2_000, ..get(format!("http://{host}:{port}/")) };
        assert_eq!(code(send(&system, &request)), "address-refused", "{host}");
    }
    for addresses in [
        ["10.0.0.1"].as_slice(),
        &["169.254.169.254"],
        &["100.100.100.200"],
        &["::ffff:10.0.0.1"],
        &["fd00:ec2::254"],
        &["::1"],
        // One good one beside it changes nothing.
        &["1.1.1.1", "127.0.0.1"],
        &["127.0.0.1", "1.1.1.1"],
    ] {
        let client = client(&[], names(&[addresses]));
        assert_eq!(code(send(&client, &get(other.url("/")))), "address-refused", "{addresses:?}");
    }
    assert!(other.seen().is_empty(), "{:?}", other.seen());
    assert_eq!(code(send(&client(&[], names(&[&[]])), &get(other.url("/")))), "name-unknown");
}

/// The second answer of a name server is another one than the first: it is never asked for.
#[test]
fn a_name_is_asked_once_and_that_answer_is_connected_to() {
    let other = Other::saying(ok("here"));
    let rebinding = names(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let client = client(&[other.named()], Arc::clone(&rebinding) as Arc<dyn Names>);
    assert_eq!(code(send(&client, &get(other.url("/")))), "200");
    assert_eq!(rebinding.asked.load(Ordering::SeqCst), 1);
    // The next request asks anew, and is checked anew; no connection was kept for it.
    assert_eq!(code(send(&client, &get(other.url("/")))), "address-refused");
    assert_eq!(other.seen().len(), 1);
}

#[test]
fn redirects_are_followed_and_each_is_checked() {
    let end = Other::saying(ok("end"));
    let (inside, end_port) = (Other::saying(ok("inside")), end.port);
    let inside_port = inside.port;
    let start = Other::new(move |request, stream| {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let answer = match path.as_str() {
            "/relative" => redirect(302, "/done"),
            "/loop" => redirect(302, "/loop"),
            "/end" => redirect(307, &format!("http://end.example:{end_port}/end")),
            "/inside" => redirect(302, &format!("http://127.0.0.1:{inside_port}/")),
            "/mapped" => redirect(302, &format!("http://[::ffff:127.0.0.1]:{inside_port}/")),
            "/metadata" => redirect(302, "http://169.254.169.254/latest/meta-data"),
            "/file" => redirect(302, "file:///etc/passwd"),
            "/user" => redirect(302, "http://a:b@bank.example/"),
            "/dots" => redirect(302, "/granted/%2e%2e%2fadmin"),
            "/granted/out" => redirect(302, "/admin"),
            "/granted/up" => redirect(302, "../admin"),
            "/see-other" => redirect(303, "/done"),
            "/found" => redirect(302, "/done"),
            "/again" => redirect(308, "/done"),
            "/nowhere" => "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
            _ => ok(&path),
        };
        stream.write_all(answer.as_bytes())
    });
    let client = local(&[&start, &end]);
    let rows = [
        ("/relative", "200"),
        ("/end", "200"),
        ("/nowhere", "302"),
        ("/loop", "redirects-too-many"),
        ("/inside", "address-refused"),
        ("/mapped", "address-refused"),
        ("/metadata", "address-refused"),
        ("/file", "redirect-refused"),
        ("/user", "redirect-refused"),
        ("/dots", "redirect-refused"),
    ];
    for (path, want) in rows {
        assert_eq!(code(send(&client, &get(start.url(path)))), want, "{path}");
    }
    assert!(inside.seen().is_empty(), "{:?}", inside.seen());
    let loops = start.seen().iter().filter(|seen| seen.starts_with("GET /loop")).count();
    assert_eq!(loops, 6, "the request and five redirects");
    // Where a redirect leads has to be granted as well.
    let granted = format!(r#"{{"host":"bank.example","port":{},"path":"/granted","plain":true}}"#, start.port);
    let rights =
        Rights::from(Grant { http: vec![serde_json::from_str::<HttpTarget>(&granted).unwrap()], ..Grant::default() });
    let own = work(rights);
    for path in ["/granted/out", "/granted/up"] {
        assert_eq!(code(send_as(&client, &own, &get(start.url(path)))), "http-denied", "{path}");
    }
    assert!(!start.seen().iter().any(|seen| seen.starts_with("GET /admin")));
    // What becomes of method and body.
    for (path, line, body) in
        [("/see-other", "GET /done", ""), ("/found", "GET /done", ""), ("/again", "POST /done", "data")]
    {
        let request = Request { method: Method::Post, body: b"data".to_vec(), ..get(start.url(path)) };
        assert_eq!(code(send(&client, &request)), "200");
        let last = start.seen().pop().unwrap();
        assert!(last.starts_with(line) && last.ends_with(&format!("\r\n\r\n{body}")), "{path}: {last}");
    }
}

#[test]
fn secrets_go_where_they_belong_and_are_masked_on_their_way_back() {
    let end = Other::saying(ok("end"));
    let end_port = end.port;
    let start = Other::new(move |request, stream| {
        let answer = match request.split(' ').nth(1).unwrap_or_default() {
            "/echo" => {
                let body = "you said s3cr3t-token, s3cr3t-token";
                format!("HTTP/1.1 200 OK\r\nx-token: s3cr3t-token\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            }
            "/away" => redirect(307, &format!("http://end.example:{end_port}/")),
            "/here" => redirect(307, "/echo"),
            _ => ok(""),
        };
        stream.write_all(answer.as_bytes())
    });
    let client = local(&[&start, &end]);
    let request = |path: &str, body: &str| Request {
        method: Method::Post,
        headers: vec![("Authorization".into(), "Bearer {{secret:bank}}".into()), ("X-Plain".into(), "p".into())],
        body: body.into(),
        ..get(start.url(path))
    };
    for path in ["/echo", "/here"] {
        let response = send(&client, &request(path, "token={{secret:bank}}")).unwrap();
        let seen = start.seen().pop().unwrap();
        assert!(seen.contains("Bearer s3cr3t-token") && seen.ends_with("token=s3cr3t-token"), "{seen}");
        assert_eq!(response.body, b"you said {{secret:bank}}, {{secret:bank}}");
        assert!(response.headers.contains(&("x-token".into(), "{{secret:bank}}".into())), "{response:?}");
    }
    assert_eq!(code(send(&client, &request("/away", "plain"))), "200");
    let seen = end.seen().pop().unwrap();
    assert!(!seen.contains("s3cr3t") && !seen.to_ascii_lowercase().contains("authorization"), "{seen}");
    assert!(seen.to_ascii_lowercase().contains("x-plain: p") && seen.ends_with("plain"), "{seen}");
    assert_eq!(code(send(&client, &request("/away", "token={{secret:bank}}"))), "redirect-refused");
    assert_eq!(end.seen().len(), 1);
    let before = start.seen().len();
    assert_eq!(
        code(send(&client, &Request { body: b"{{secret:none}}".to_vec(), ..request("/echo", "") })),
        "secret-unknown"
    );
    let rights = |host: &str| {
        Rights::from(Grant {
            http: vec![HttpTarget::any()],
            secrets: vec![SecretUse { name: Pattern::parse("ban*").unwrap(), host: host.to_owned() }],
            ..Grant::default()
        })
    };
    assert_eq!(code(send_as(&client, &work(rights("else.example")), &request("/echo", ""))), "secret-denied");
    assert_eq!(start.seen().len(), before, "nothing was sent");
    assert_eq!(code(send_as(&client, &work(rights("bank.example")), &request("/echo", ""))), "200");
}

#[test]
fn answers_are_bounded_in_bytes_and_time() {
    let flood = Other::new(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            stream.write_all(&[b'x'; 4096])?;
        }
    });
    let heads = Other::new(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            stream.write_all(b"x-more: and more\r\n")?;
        }
    });
    let drip = Other::new(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")?;
        loop {
            stream.write_all(b"x")?;
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let silent = Other::new(|_, _| {
        std::thread::sleep(Duration::from_secs(10));
        Ok(())
    });
    let nonsense = Other::saying("what?\r\n\r\n");
    let rows = [
        (&flood, "response-too-large"),
        (&drip, "http-timeout"),
        (&silent, "http-timeout"),
        (&nonsense, "http-failed"),
    ];
    for (other, want) in rows {
        let request = Request { timeout_ms: 500, ..get(other.url("/")) };
        assert_eq!(code(send(&local(&[other]), &request)), want);
    }
    let request = Request { timeout_ms: 5_000, ..get(heads.url("/")) };
    let ended = code(send(&local(&[&heads]), &request));
    assert!(["response-too-large", "http-failed"].contains(&ended.as_str()), "{ended}");
    // The run's own end comes first.
    let work = work(Rights::all());
    let request = get(silent.url("/"));
    let checked = Checked::of(&request, work.rights()).unwrap();
    let until = Instant::now() + Duration::from_millis(100);
    let ended = local(&[&silent]).send(TENANT, &work, &request, &checked, 1000, until).unwrap();
    assert_eq!((code(ended.answer).as_str(), ended.went_out), ("http-timeout", true));
}

#[test]
fn a_tenant_has_so_many_requests_under_way_and_no_more() {
    let (told, tells) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(tells);
    let other = Other::new(move |_, stream| {
        let _ended = held.lock().recv();
        stream.write_all(ok("").as_bytes())
    });
    let client = local(&[&other]);
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..2).map(|_| scope.spawn(|| code(send(&client, &get(other.url("/")))))).collect();
        while other.seen().len() < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(code(send(&client, &get(other.url("/")))), "http-busy");
        drop(told);
        for waits in waiting {
            assert_eq!(waits.join().unwrap(), "200");
        }
    });
    assert_eq!(code(send(&client, &get(other.url("/")))), "200");
}

#[test]
fn what_is_no_request_is_told_apart() {
    let rights = Rights::all();
    let layers = [Arc::new(rights)];
    let day = BusinessDate::parse("2026-06-30", "day").unwrap();
    let of = |request: &Request| Checked::of(request, Layers::new(&layers, day)).map(drop);
    let urls = [
        "",
        "bank.example",
        "/v1",
        "ftp://bank.example/",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https:bank.example/",
        "https:/bank.example/",
        "HTTPS://bank.example/",
        "https://a b/",
        "https://bank.example./",
        "https://user@bank.example/",
        "https://:pw@bank.example/",
        "https://bank.example/#part",
        "https://bank.example/a\\..\\b",
        "https://bank.example/\n",
        "\thttps://bank.example/",
        "https://bank.example/a%2f..%2fb",
        "https://bank.example/%2e%2e%2fadmin",
        "https://bank.example/a/..%5cb",
        "https://bank.example/%zz",
        // A server that cuts segments at their semicolons, and ones that take percent signs apart twice.
        "https://bank.example/a/..;/admin",
        "https://bank.example/a/..;x=1",
        "https://bank.example/a/%2e%2e;/admin",
        "https://bank.example/a/.%2e%3bx/admin",
        "https://bank.example/a/%252e%252e/admin",
        "https://bank.example/a/%252E./admin",
        "https://bank.example/a%252f..%252fadmin",
        "https://bank.example/a%255cadmin",
        "https://bank.example:99999/",
        "https://[::1/",
        "https://256.1.1.1/",
    ];
    for url in urls {
        assert_eq!(of(&get(url)).unwrap_err().code(), "url-invalid", "{url:?}");
    }
    let long = format!("https://bank.example/{}", "x".repeat(5000));
    assert_eq!(of(&get(long)).unwrap_err().code(), "url-invalid");
    for url in [
        "https://bank.example/a%2fb",
        "https://bank.example/..a/%2e%2e%2e?x=../..",
        "https://bank.example",
        "https://bank.example/a;b=..;c/..b;/100%25",
    ] {
        of(&get(url)).unwrap();
    }
}

#[test]
fn what_is_no_header_is_told_apart() {
    let layers = [Arc::new(Rights::all())];
    let day = BusinessDate::parse("2026-06-30", "day").unwrap();
    let of = |request: &Request| Checked::of(request, Layers::new(&layers, day)).map(drop);
    let bad_headers = [
        ("host", "x"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("proxy-authorization", "x"),
        ("Connection", "close"),
        ("a b", "x"),
        ("", "x"),
        ("a\r\nb", "x"),
        ("x-a", "1\r\nx-b: 2"),
        ("x-a", "1\nb"),
        ("x-a", "\u{e9}"),
        ("x-a", "\0"),
    ];
    for (name, value) in bad_headers {
        let request = Request { headers: vec![(name.into(), value.into())], ..get("https://a.example/") };
        assert_eq!(of(&request).unwrap_err().code(), "header-invalid", "{name:?}: {value:?}");
    }
    let many = Request { headers: vec![("a".into(), "b".into()); 33], ..get("https://a.example/") };
    assert_eq!(of(&many).unwrap_err().code(), "header-invalid");
    let all = Request {
        headers: vec![("te".into(), "x".into())],
        body: b"x".to_vec(),
        timeout_ms: 0,
        ..get("https://a.example/")
    };
    let codes: Vec<_> = of(&all).unwrap_err().problems.into_iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["header-invalid", "body-invalid", "timeout-invalid"]);
    let none = [Arc::new(Rights::default())];
    let denied = Checked::of(&all, Layers::new(&none, day)).unwrap_err();
    assert_eq!(denied.code(), "http-denied");
}

#[test]
fn an_attempt_that_is_begun_anew_sends_nothing_twice() {
    let other = Other::new(|request, stream| {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        stream.write_all(ok(&path).as_bytes())
    });
    let (client, work) = (Arc::new(local(&[&other])), work(Rights::all()));
    let tape = Arc::new(Tape::default());
    let attempt = || Calls::live(Arc::clone(&client), TENANT, false, Arc::clone(&tape));
    let ask = |calls: &mut Calls, path: &str| {
        let request = Request { method: Method::Post, ..get(other.url(path)) };
        let checked = Checked::of(&request, work.rights()).unwrap();
        calls.answer(&work, request, &checked, Instant::now() + Duration::from_secs(20)).unwrap().body
    };
    let mut first = attempt();
    for path in ["/a", "/a", "/b"] {
        assert_eq!(ask(&mut first, path), path.as_bytes());
    }
    assert_eq!((first.made.len(), first.abandoned().len(), other.seen().len()), (3, 0, 3));
    // The second one asks for less, and for something new.
    let mut second = attempt();
    for path in ["/b", "/a", "/c"] {
        assert_eq!(ask(&mut second, path), path.as_bytes());
    }
    assert_eq!((second.made.len(), second.abandoned().len(), other.seen().len()), (3, 1, 4));
    // Its replay asks nobody.
    let mut replay = Calls::recorded(second.made);
    for path in ["/b", "/a"] {
        assert_eq!(ask(&mut replay, path), path.as_bytes());
    }
    assert_eq!((replay.left(), other.seen().len()), (1, 4));
    let stray = get(other.url("/x"));
    let checked = Checked::of(&stray, work.rights()).unwrap();
    let ended = replay.answer(&work, stray, &checked, Instant::now());
    assert!(matches!(ended, Err(HostError::Fault(_))), "{ended:?}");
    // A dry run reads.
    let mut dry = Calls::live(Arc::clone(&client), TENANT, true, Arc::default());
    for (method, want) in [
        (Method::Get, "200"),
        (Method::Head, "200"),
        (Method::Post, "dry-run-sends-nothing"),
        (Method::Delete, "dry-run-sends-nothing"),
    ] {
        let request = Request { method, ..get(other.url("/d")) };
        let checked = Checked::of(&request, work.rights()).unwrap();
        let answer = match dry.answer(&work, request, &checked, Instant::now() + Duration::from_secs(20)) {
            Ok(response) => Ok(response),
            Err(HostError::Business(error)) => Err(error),
            Err(HostError::Fault(fault)) => panic!("{fault}"),
        };
        assert_eq!(code(answer), want, "{method}");
    }
}

#[test]
fn what_one_run_sends_and_receives_has_an_end() {
    let other = Other::saying(ok(&"x".repeat(900 << 10)));
    let (client, work) = (Arc::new(local(&[&other])), work(Rights::all()));
    let mut calls = Calls::live(client, TENANT, true, Arc::default());
    let mut ended = Vec::new();
    for _ in 0..6 {
        let request = get(other.url("/"));
        let checked = Checked::of(&request, work.rights()).unwrap();
        match calls.answer(&work, request, &checked, Instant::now() + Duration::from_secs(20)) {
            Ok(response) => ended.push(response.status.to_string()),
            Err(HostError::Business(error)) => ended.push(error.code().to_owned()),
            Err(HostError::Fault(fault)) => panic!("{fault}"),
        }
    }
    // What is left after four is less than the fifth needs, and then not enough for any.
    assert_eq!(ended[..4], ["200", "200", "200", "200"]);
    assert!(
        ended[4..].iter().all(|code| ["response-too-large", "calls-too-large"].contains(&code.as_str())),
        "{ended:?}"
    );
}
