//! A real PostgreSQL server in a temporary folder: started by the tests themselves, on a Unix socket, as a user that is not
//! root. A watchdog ends it and removes the folder when the test process is gone, however that ended.
//!
//! Needs the Debian package `postgresql-15` or newer. Without it there is no server: tests say SKIPPED, or fail if
//! `BACKROOM_REQUIRE_ALL` is set. Stands alone, so that other crates can take the file in by its path.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "part of tests")]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The role that owns the databases: no superuser, but it may make the roles that migrations need.
const OWNER: &str = "backroom";
const SUPERUSER: &str = "postgres";

static SHARED: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A server.
pub struct Server {
    programs: PathBuf,
    dir: PathBuf,
    /// User and group to run as, if this process is root.
    user: Option<(u32, u32)>,
    settings: Vec<String>,
    /// Part of the socket's name as well.
    port: u16,
    watchdog: Child,
}

impl Server {
    /// The server that all tests of this process share. Its databases need not outlive a power cut.
    pub fn shared() -> Option<&'static Self> {
        SHARED.get_or_init(|| Self::new(&["fsync=off", "full_page_writes=off"])).as_ref()
    }

    /// A server of one's own, to be killed and started again.
    pub fn own() -> Option<Self> {
        Self::new(&[])
    }

    /// A server of one's own that listens on a port of this machine as well, with TLS by this certificate (PEM).
    pub fn with_tls(certificate: &str, key: &str) -> Option<Self> {
        let mut server = Self::new(&[])?;
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let file = server.dir.join("data").join(name);
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            if let Some((uid, gid)) = server.user {
                chown(&file, Some(uid), Some(gid)).unwrap();
            }
        }
        server.stop_immediately();
        server.port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        server.settings = ["ssl=on", "listen_addresses=127.0.0.1"].map(str::to_owned).to_vec();
        server.start();
        Some(server)
    }

    /// The same one, which knows no TLS any more.
    pub fn without_tls(mut self) -> Self {
        self.stop_immediately();
        self.settings.retain(|setting| !setting.starts_with("ssl="));
        self.start();
        self
    }

    /// Where one with TLS listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn new(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            let missing = "no PostgreSQL server here: install the package `postgresql-15`";
            assert!(std::env::var_os("BACKROOM_REQUIRE_ALL").is_none(), "{missing}");
            eprintln!("SKIPPED: {missing}");
            return None;
        };
        let dir = std::env::temp_dir().join(format!(
            "backroom-pg-{}-{}",
            std::process::id(),
            DATABASES.fetch_add(1, Ordering::SeqCst)
        ));
        std::fs::create_dir(&dir).unwrap();
        let user = (std::fs::metadata("/proc/self").unwrap().uid() == 0).then(|| {
            let user = ["postgres", "nobody"].into_iter().find_map(user_of);
            user.expect("root cannot run PostgreSQL, and there is no other user")
        });
        if let Some((uid, gid)) = user {
            chown(&dir, Some(uid), Some(gid)).unwrap();
        }
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o700)).unwrap();
        let watchdog = watchdog(&dir);
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let server = Self { programs, dir, user, settings, port: 5432, watchdog };
        let data = server.dir.join("data");
        let mut initdb = server.as_user("initdb");
        initdb.args(["--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync", "-U", SUPERUSER, "-D"]).arg(data);
        let output = initdb.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        server.start();
        server.sql_as(SUPERUSER, "postgres", &format!("CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB"));
        Some(server)
    }

    /// A command of the server's package, run as the server's user.
    fn as_user(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let Some((uid, gid)) = self.user else { return Command::new(path) };
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={uid}"), &format!("--regid={gid}"), "--clear-groups", "--"]).arg(path);
        // The current directory may be closed to that user.
        command.current_dir("/");
        command
    }

    /// Starts it, and waits until it takes connections; after a crash until it has recovered.
    pub fn start(&self) {
        let mut postgres = self.as_user("postgres");
        postgres
            .arg("-D")
            .arg(self.dir.join("data"))
            .arg("-k")
            .arg(&self.dir)
            .args(["-h", "", "-p"])
            .arg(self.port.to_string());
        for setting in ["max_connections=200", "shared_buffers=64MB", "log_min_messages=fatal"] {
            postgres.args(["-c", setting]);
        }
        for setting in &self.settings {
            postgres.args(["-c", setting]);
        }
        let began = Instant::now();
        let mut child = self.spawn(&mut postgres);
        while !self.answers() {
            let log = || std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(120), "the server does not answer: {}", log());
            if child.try_wait().unwrap().is_some() {
                // Processes of one that was killed still hold its memory: they are about to notice.
                child = self.spawn(&mut postgres);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Whoever is killed must also be collected.
        std::thread::spawn(move || child.wait());
    }

    fn spawn(&self, postgres: &mut Command) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.dir.join("log")).unwrap();
        postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    fn answers(&self) -> bool {
        let mut psql = self.psql(SUPERUSER, "postgres");
        psql.args(["-c", "SELECT 1"]).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    /// Kills the whole server without warning, and waits until it is gone.
    pub fn kill(&self) {
        // Its children end when they notice; a new one does not start before.
        signal("KILL", &self.process());
        let began = Instant::now();
        while self.answers() {
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not die");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The server's own way of stopping at once, without writing anything down.
    pub fn stop_immediately(&self) {
        signal("QUIT", &self.process());
        let began = Instant::now();
        while self.dir.join("data/postmaster.pid").exists() {
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn process(&self) -> String {
        let pid = std::fs::read_to_string(self.dir.join("data/postmaster.pid")).unwrap();
        pid.lines().next().unwrap().to_owned()
    }

    /// A new, empty database; gives its name.
    pub fn database(&self) -> String {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
        self.sql_as(SUPERUSER, "postgres", &format!("CREATE DATABASE {name} OWNER {OWNER}"));
        name
    }

    /// A copy of a database that nobody is connected to; gives its name.
    pub fn copy_of(&self, database: &str) -> String {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
        // A backend whose client has gone needs a moment to go, too.
        self.sql_as_superuser(
            "postgres",
            &format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}'"),
        );
        self.sql_as(SUPERUSER, "postgres", &format!("CREATE DATABASE {name} TEMPLATE {database} OWNER {OWNER}"));
        name
    }

    /// The connection string for a database.
    pub fn url(&self, database: &str) -> String {
        self.url_by(&self.dir, database)
    }

    /// The same by a socket in another folder.
    pub fn url_by(&self, dir: &Path, database: &str) -> String {
        format!("host={} user={OWNER} dbname={database}", dir.display())
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.join(format!(".s.PGSQL.{}", self.port))
    }

    /// Runs SQL as the owner; gives the rows, columns separated by `|`.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        self.sql_as(OWNER, database, sql)
    }

    /// Runs SQL as the superuser.
    pub fn sql_as_superuser(&self, database: &str, sql: &str) -> String {
        self.sql_as(SUPERUSER, database, sql)
    }

    fn sql_as(&self, user: &str, database: &str, sql: &str) -> String {
        self.try_sql(user, database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Runs SQL that may be refused.
    pub fn try_sql(&self, user: &str, database: &str, sql: &str) -> Result<String, String> {
        let output = self.psql(user, database).args(["-c", sql]).output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Runs a script of `pgbench` with this many clients; gives what it says about its speed.
    pub fn pgbench(&self, database: &str, script: &str, seconds: u64, clients: u64) -> String {
        let file = std::env::temp_dir().join(format!("backroom-pgbench-{}", std::process::id()));
        std::fs::write(&file, script).unwrap();
        let mut pgbench = Command::new(self.programs.join("pgbench"));
        pgbench.args(["-n", "-M", "prepared", "-j", "2", "-U", OWNER, "-T", &seconds.to_string()]);
        pgbench.args(["-c", &clients.to_string(), "-f"]).arg(&file).arg("-h").arg(&self.dir).arg(database);
        let output = pgbench.output().unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.lines()
            .filter(|line| line.starts_with("tps") || line.starts_with("latency"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn psql(&self, user: &str, database: &str) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database]);
        psql.arg("-h").arg(&self.dir).args(["-p", &self.port.to_string()]);
        psql
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ended = self.watchdog.wait();
    }
}

/// Waits until its input ends, which it does when this process is gone at the latest.
fn watchdog(dir: &Path) -> Child {
    let script = "cat >/dev/null; pid=$(head -n 1 \"$1/data/postmaster.pid\" 2>/dev/null) && kill -QUIT \"$pid\"
        n=0; while [ -n \"$pid\" ] && kill -0 \"$pid\" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
        rm -rf \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "watchdog"]).arg(dir).stdin(Stdio::piped()).stdout(Stdio::null());
    // Ctrl-C is for the tests: the watchdog lives on and cleans up.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stderr(Stdio::null()).spawn().unwrap()
}

fn signal(name: &str, process: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), process]).status().unwrap().success());
}

/// Where `initdb` and `postgres` are: the newest version.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .filter(|(version, programs)| *version >= 15 && programs.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop().map(|(_, programs)| programs)
}

fn user_of(name: &str) -> Option<(u32, u32)> {
    let line = std::fs::read_to_string("/etc/passwd").ok()?.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| line.to_owned())
    })?;
    let fields: Vec<_> = line.split(':').collect();
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}
