//! Single entries over HTTP, from many callers at once: with any two accounts, and with one account in each of them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use backroom_server::Place;
use serde::Serialize;
use serde_json::json;

use super::Load;
use super::book::{ACCOUNTS, Book, Posting, TENANT, code, date, posting};
use crate::bench::stats::{Spread, ratio};
use crate::exit::{Failure, Result};
use crate::progress::Progress;
use crate::service::Server;

/// Callers at once, each with a connection of its own.
pub(super) const CALLERS: usize = 64;
/// Rounds of both kinds, in turns, so that noise of the machine hits both. The first round is for caches, and does not count.
const ROUNDS: u32 = 5;
/// Callers need no deep stack.
const STACK: usize = 256 << 10;
/// An answer is one entry.
const MAX_ANSWER: usize = 1 << 20;

/// What was measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Crowd {
    pub(super) callers: usize,
    pub(super) uniform: Rate,
    pub(super) hot: Rate,
    pub(super) hot_share: f64,
    pub(super) load: Load,
}

/// Entries a second, and what each took until it was answered, which is when it is on disk.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    #[serde(flatten)]
    pub(super) each: Spread,
}

/// Measures for as long as `time`, both kinds together.
pub(super) fn measure(dir: &Path, time: Duration, progress: &Progress) -> Result<Crowd> {
    progress.at("setting up a service");
    Book::make(dir)?.close()?;
    let server = Server::start(&Place::Folder(dir.to_owned()), (Ipv4Addr::LOCALHOST, 0).into(), &|_| {})?;
    let key = server.first_key()?.ok_or_else(|| Failure::from(anyhow!("the new service has a key already")))?;
    progress.at(&format!("single entries of {CALLERS} callers over HTTP"));
    let target = Target { address: server.address, key, number: AtomicU64::new(0) };
    let crowd = rounds(&target, time);
    server.stop()?;
    Ok(crowd?)
}

fn rounds(target: &Target, time: Duration) -> anyhow::Result<Crowd> {
    let each = time / (ROUNDS * 2);
    let (mut uniform, mut hot) = (Sum::default(), Sum::default());
    for round in 0..ROUNDS {
        for (is_hot, sum) in [(false, &mut uniform), (true, &mut hot)] {
            let began = Instant::now();
            let times = post_for(target, is_hot, each)?;
            if round > 0 {
                sum.took += began.elapsed();
                sum.times.extend(times);
            }
        }
    }
    let (uniform, hot) = (uniform.rate(), hot.rate());
    let hot_share = ratio(hot.per_second, uniform.per_second);
    Ok(Crowd { callers: CALLERS, uniform, hot, hot_share, load: Load::now() })
}

#[derive(Default)]
struct Sum {
    took: Duration,
    times: Vec<Duration>,
}

impl Sum {
    fn rate(mut self) -> Rate {
        let per_second = self.times.len() as f64 / self.took.as_secs_f64().max(1e-9);
        Rate { per_second, each: Spread::of(&mut self.times) }
    }
}

/// The service, and the number of the next entry.
struct Target {
    address: SocketAddr,
    key: String,
    number: AtomicU64,
}

/// Every caller posts for as long as `time`.
fn post_for(target: &Target, hot: bool, time: Duration) -> anyhow::Result<Vec<Duration>> {
    let began = Instant::now();
    std::thread::scope(|scope| {
        let mut callers = Vec::new();
        for _ in 0..CALLERS {
            let work = move || call(target, hot, began, time);
            let thread = std::thread::Builder::new().name("caller".to_owned()).stack_size(STACK);
            callers.push(thread.spawn_scoped(scope, work).context("cannot start a caller")?);
        }
        let mut all = Vec::new();
        for caller in callers {
            all.extend(caller.join().map_err(|_| anyhow!("a caller panicked"))??);
        }
        Ok(all)
    })
}

fn call(target: &Target, hot: bool, began: Instant, time: Duration) -> anyhow::Result<Vec<Duration>> {
    let mut connection = Connection::open(target)?;
    let mut times = Vec::new();
    while began.elapsed() < time {
        let body = entry(target.number.fetch_add(1, Ordering::Relaxed), hot);
        let start = Instant::now();
        connection.post(&body)?;
        times.push(start.elapsed());
    }
    Ok(times)
}

/// Entry `n` as a request has it; `hot` with the same account on one side each time.
fn entry(n: u64, hot: bool) -> String {
    let Posting { debit, credit, minor, day } = posting(n);
    let debit = if hot { 0 } else { debit };
    let credit = if credit == debit { (credit + 1) % ACCOUNTS } else { credit };
    let (year, month, day) = date(day);
    let amount = json!({ "minor": minor, "currency": "USD" });
    json!({
        "id": format!("single:{n:010}"),
        "date": format!("{year}-{month:02}-{day:02}"),
        "description": "A posting",
        "lines": [
            { "account": code(debit), "side": "debit", "amount": amount },
            { "account": code(credit), "side": "credit", "amount": amount },
        ],
    })
    .to_string()
}

/// A connection that is kept, with next to no work in this process: what is measured is the service, on the same processors.
struct Connection {
    reader: BufReader<TcpStream>,
    head: String,
}

impl Connection {
    fn open(target: &Target) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(target.address).context("cannot connect to the service")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let head = format!(
            "POST /v1/tenants/{TENANT}/ledger/entries HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: ",
            target.address, target.key
        );
        Ok(Self { reader: BufReader::new(stream), head })
    }

    /// Sends an entry and waits for the answer that it was posted.
    fn post(&mut self, body: &str) -> anyhow::Result<()> {
        let request = format!("{}{}\r\n\r\n{body}", self.head, body.len());
        self.reader.get_mut().write_all(request.as_bytes()).context("cannot send an entry")?;
        let (status, answer) = self.answer()?;
        if status == 201 { Ok(()) } else { Err(anyhow!("the service answers {status}: {answer}")) }
    }

    fn answer(&mut self) -> anyhow::Result<(u16, String)> {
        let mut line = String::new();
        self.reader.read_line(&mut line).context("no answer")?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| anyhow!("this is no answer: {line:?}"))?;
        let mut length = 0;
        loop {
            line.clear();
            self.reader.read_line(&mut line).context("the answer broke off")?;
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse()?,
                Some(_) => {}
                None => break,
            }
        }
        if length > MAX_ANSWER {
            return Err(anyhow!("an answer of {length} bytes"));
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).context("the answer broke off")?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hot_entry_has_the_hot_account_on_one_side_alone() {
        for n in 0..5_000 {
            let entry: serde_json::Value = serde_json::from_str(&entry(n, true)).unwrap();
            let account = |line: usize| entry["lines"][line]["account"].as_str().unwrap().to_owned();
            assert_eq!(account(0), "10000");
            assert_ne!(account(1), "10000");
        }
    }
}
