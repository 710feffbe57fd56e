//! What is kept between the attempts of one run, and what one tenant's lookups are to another.

use super::*;

/// The answer, or its code.
fn ask(calls: &mut Calls, work: &Work, request: Request) -> Result<Response, Error> {
    let checked = Checked::of(&request, work.rights()).unwrap();
    match calls.answer(work, request, &checked, Instant::now() + Duration::from_secs(20)) {
        Ok(response) => Ok(response),
        Err(HostError::Business(error)) => Err(error),
        Err(HostError::Fault(fault)) => panic!("{fault}"),
    }
}

/// A name that has no address, one that leads inside, a secret that is not there: nothing went out, so the next attempt tries it
/// again. What may have arrived is not sent twice, whatever came of it.
#[test]
fn only_what_may_have_gone_out_is_kept_for_the_next_attempt() {
    let (other, silent) = (Other::saying(ok("done")), Other::saying(""));
    let named = [other.named(), silent.named()];
    let answers: [&[&str]; 6] = [&[], &["10.0.0.1"], &["127.0.0.1"], &["127.0.0.1"], &["127.0.0.1"], &["127.0.0.1"]];
    let client = Arc::new(client(&named, names(&answers)));
    let (work, tape) = (work(Rights::all()), Arc::new(Tape::default()));
    let attempt = || Calls::live(Arc::clone(&client), TENANT, false, Arc::clone(&tape));
    let post = |url: String| Request { method: Method::Post, ..get(url) };
    for want in ["name-unknown", "address-refused"] {
        assert_eq!(code(ask(&mut attempt(), &work, post(other.url("/a")))), want);
        assert!(tape.is_empty(), "{want} was kept");
    }
    let secret = Request { body: b"{{secret:none}}".to_vec(), ..post(other.url("/a")) };
    assert_eq!(code(ask(&mut attempt(), &work, secret)), "secret-unknown");
    assert!(tape.is_empty() && other.seen().is_empty());
    // Nobody listens there: nothing was sent either.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap().port();
    drop(listener);
    let nobody = PrivateTarget::from_str(&format!("127.0.0.1/32:{free}")).unwrap();
    let closed = Arc::new(super::client(&[nobody], super::names(&[&["127.0.0.1"]])));
    let mut calls = Calls::live(closed, TENANT, false, Arc::clone(&tape));
    assert_eq!(code(ask(&mut calls, &work, post(format!("http://bank.example:{free}/")))), "http-failed");
    assert!(tape.is_empty());
    for _ in 0..2 {
        let mut calls = attempt();
        assert_eq!(code(ask(&mut calls, &work, post(other.url("/a")))), "200");
        assert_eq!(code(ask(&mut calls, &work, post(silent.url("/b")))), "http-failed");
    }
    assert_eq!((other.seen().len(), silent.seen().len()), (1, 1), "sent twice");
    assert!(!tape.is_empty());
}

/// Attempts that each send something else: all of it is to stand in one entry of the log in the end.
#[test]
fn what_all_attempts_of_a_run_send_together_has_an_end() {
    let other = Other::saying(ok(&"x".repeat(900 << 10)));
    let (client, work) = (Arc::new(local(&[&other])), work(Rights::all()));
    let tape = Arc::new(Tape::default());
    let mut ended = Vec::new();
    for attempt in 0..10 {
        let mut calls = Calls::live(Arc::clone(&client), TENANT, false, Arc::clone(&tape));
        ended.push(code(ask(&mut calls, &work, get(other.url(&format!("/{attempt}"))))));
        let abandoned: usize = calls.abandoned().iter().map(backroom_office::calls::Exchange::size).sum();
        assert!(abandoned <= 4 << 20, "{abandoned} bytes of what nobody asks for any more");
    }
    assert_eq!(ended[..4], ["200", "200", "200", "200"]);
    assert!(ended[4..].iter().all(|code| code != "200"), "{ended:?}");
    // What was sent is there all the same.
    let mut calls = Calls::live(client, TENANT, false, tape);
    let before = other.seen().len();
    assert_eq!(code(ask(&mut calls, &work, get(other.url("/0")))), "200");
    assert_eq!(other.seen().len(), before);
}

/// A secret that a run was not even given comes back in the answer to a later request.
#[test]
fn a_secret_is_masked_in_later_answers_as_well() {
    let other = Other::saying(ok("last time it was s3cr3t-token"));
    let (client, work) = (local(&[&other]), work(Rights::all()));
    let first = Request { headers: vec![("authorization".into(), "{{secret:bank}}".into())], ..get(other.url("/")) };
    for request in [first, get(other.url("/later"))] {
        let response = send_as(&client, &work, &request).unwrap();
        assert_eq!(response.body, b"last time it was {{secret:bank}}", "{request:?}");
    }
    assert!(!other.seen()[1].contains("s3cr3t"));
}

/// Names that are never found, until the test ends.
struct Never(Mutex<std::sync::mpsc::Receiver<()>>, AtomicUsize);

impl Names for Never {
    fn find(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if host.starts_with("good") {
            return Ok(vec![SocketAddr::new("127.0.0.1".parse().unwrap(), port)]);
        }
        self.1.fetch_add(1, Ordering::SeqCst);
        // Nobody sends: it ends when the other end is dropped.
        let _ended = self.0.lock().recv();
        Ok(Vec::new())
    }
}

#[test]
fn a_tenant_whose_names_never_answer_keeps_nobody_else_from_looking_up() {
    let other = Other::saying(ok(""));
    let (ends, waits) = std::sync::mpsc::channel();
    let never = Arc::new(Never(Mutex::new(waits), AtomicUsize::new(0)));
    let client = client(&[other.named()], Arc::clone(&never) as Arc<dyn Names>);
    let send = |tenant: u32, host: String| {
        let work = work(Rights::all());
        let request = Request { timeout_ms: 20, ..get(format!("http://{host}:{}/", other.port)) };
        let checked = Checked::of(&request, work.rights()).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        match client.send(TenantNo(tenant), &work, &request, &checked, 1000, until) {
            Ok(sent) => (code(sent.answer), sent.went_out),
            Err(_) => panic!("no answer"),
        }
    };
    let not_out = |code: &str| (code.to_owned(), false);
    // Of one name so many are left behind, and of one tenant.
    for _ in 0..4 {
        assert_eq!(send(1, "slow.example".into()), not_out("http-timeout"));
    }
    assert_eq!(send(1, "slow.example".into()), not_out("http-busy"));
    for name in 0..12 {
        assert_eq!(send(1, format!("slow-{name}.example")), not_out("http-timeout"));
    }
    assert_eq!(send(1, "good.example".into()), not_out("http-busy"));
    // Another tenant may ask for the same name, and for others.
    assert_eq!(send(2, "slow.example".into()), not_out("http-timeout"));
    for tenant in 3..11 {
        for name in 0..16 {
            send(tenant, format!("slow-{name}.example"));
        }
    }
    // All that there are is used up: whoever has none under way still gets one.
    let left_behind = never.1.load(Ordering::SeqCst);
    assert!(left_behind >= 128, "{left_behind}");
    assert_eq!(send(2, "good.example".into()), not_out("http-busy"));
    let request = Request { timeout_ms: 5_000, ..get(format!("http://good.example:{}/", other.port)) };
    let (work, until) = (work(Rights::all()), Instant::now() + Duration::from_secs(20));
    let checked = Checked::of(&request, work.rights()).unwrap();
    let sent = client.send(TenantNo(99), &work, &request, &checked, 1000, until);
    assert_eq!(sent.map(|sent| code(sent.answer)).unwrap_or_default(), "200");
    drop(ends);
}
