//! Tells what a program in plain Rust sees of the system that the host makes up.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use backroom_sdk::{Error, Workflow, workflow};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ask {
    Look,
    Panic,
    Exit,
}

#[derive(Serialize)]
struct Seen {
    microseconds: u128,
    moved: bool,
    slept_ms: u128,
    hash: u64,
    order: Vec<u32>,
    variables: usize,
    arguments: usize,
    input: usize,
    folder: String,
    file: String,
    socket: String,
}

struct Look;

impl Workflow for Look {
    type Input = Ask;
    type Output = Seen;

    fn run(ask: Ask) -> Result<Seen, Error> {
        println!("hello from Rust");
        eprintln!("and a warning");
        print!("no end of line");
        // As a program would at its end, which a workflow never reaches.
        std::io::stdout().flush().ok();
        match ask {
            Ask::Look => Ok(look()),
            Ask::Panic => panic!("the laptop is on fire"),
            Ask::Exit => std::process::exit(7),
        }
    }
}

workflow!(Look);

fn look() -> Seen {
    let began = Instant::now();
    let moved = Instant::now() > began;
    let before = Instant::now();
    std::thread::sleep(Duration::from_secs(3_600));
    let slept_ms = before.elapsed().as_millis();
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).ok();
    let failure = |error: std::io::Error| error.to_string();
    Seen {
        microseconds: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros()),
        moved,
        slept_ms,
        hash: RandomState::new().hash_one("hash"),
        order: (0..16).collect::<HashSet<u32>>().into_iter().collect(),
        variables: std::env::vars().count(),
        arguments: std::env::args().count(),
        input: input.len(),
        folder: std::fs::read_dir("/").map_or_else(failure, |_| String::new()),
        file: std::fs::write("/tmp/out", "x").map_or_else(failure, |()| String::new()),
        socket: TcpStream::connect("127.0.0.1:80").map_or_else(failure, |_| String::new()),
    }
}
