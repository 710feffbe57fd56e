//! A PostgreSQL server to measure on: in a temporary folder, on a Unix socket, durable as it comes and with as much memory as
//! the service may use. Whoever is killed while measuring leaves nothing behind: a watchdog ends the server and
//! removes the folder.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio_postgres::NoTls;

/// Where Debian puts its versions.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The oldest that the store is tested with.
const OLDEST: u32 = 15;
/// Owns what is measured: no superuser, for whom the server checks less.
const OWNER: &str = "backroom";
const SUPERUSER: &str = "postgres";
/// Connections of a hundred and some callers, the store and whoever makes the databases. A commit is on the disk.
const SETTINGS: [&str; 6] = [
    "max_connections=200",
    "shared_buffers=512MB",
    "max_wal_size=4GB",
    "synchronous_commit=on",
    "fsync=on",
    "full_page_writes=on",
];
/// A socket's path may have 107 bytes; its name has 14.
const LONGEST: usize = 92;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Server {
    /// The major version.
    pub(crate) version: u32,
    programs: PathBuf,
    dir: PathBuf,
    /// User and group that it runs as, if this process is root.
    user: Option<(u32, u32)>,
    process: Child,
    watchdog: Child,
}

impl Server {
    /// Starts one, with its files in a new folder below `parent`.
    ///
    /// # Errors
    /// Why there can be none: no programs of it, nobody to run it as, or what it says itself.
    pub(crate) fn start(parent: &Path) -> anyhow::Result<Self> {
        let (version, programs) = programs()?;
        let user = match rustix::process::geteuid().is_root() {
            true => Some(user().context("root cannot run it, and there is no user `postgres` or `nobody`")?),
            false => None,
        };
        let parent = std::path::absolute(parent).context("cannot find the folder")?;
        let dir = tempfile::Builder::new().prefix("backroom-pg-").tempdir_in(&parent);
        let dir = dir.with_context(|| format!("cannot make a folder in {}", parent.display()))?;
        if dir.path().as_os_str().len() > LONGEST {
            bail!("{} is too long a path for a socket; use another --dir", dir.path().display());
        }
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700))
            .context("cannot close the folder")?;
        if let Some((uid, gid)) = user {
            chown(dir.path(), Some(uid), Some(gid)).context("cannot give the folder away")?;
        }
        init(&programs, dir.path(), user)?;
        let watchdog = watchdog(dir.path())?;
        // From here on the watchdog removes it.
        let dir = dir.keep();
        let mut postgres = as_user(&programs.join("postgres"), user);
        postgres.arg("-D").arg(dir.join("data")).arg("-k").arg(&dir).args(["-h", ""]);
        for setting in SETTINGS {
            postgres.args(["-c", setting]);
        }
        let log = std::fs::File::create(dir.join("log")).context("cannot create its log")?;
        let process = postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let process = process.context("cannot start it")?;
        let mut server = Self { version, programs, dir, user, process, watchdog };
        server.make_owner()?;
        Ok(server)
    }

    /// How to connect to it.
    pub(crate) fn url(&self) -> String {
        self.url_of(OWNER)
    }

    fn url_of(&self, user: &str) -> String {
        format!("host={} user={user} dbname=postgres", self.dir.display())
    }

    /// Has `pgbench` call a script from so many clients for so many seconds; transactions a second.
    pub(crate) fn pgbench(&self, script: &str, clients: usize, time: Duration) -> anyhow::Result<f64> {
        let file = self.dir.join("script.sql");
        std::fs::write(&file, script).context("cannot write a script")?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).context("cannot show the script")?;
        let mut pgbench = as_user(&self.programs.join("pgbench"), self.user);
        pgbench.args(["-n", "-M", "prepared", "-j", "2", "-U", OWNER]);
        pgbench.args(["-c", &clients.to_string(), "-T", &time.as_secs().max(1).to_string(), "-f"]).arg(&file);
        let output = pgbench.arg("-h").arg(&self.dir).arg("postgres").output().context("cannot run pgbench")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        match rate {
            Some(rate) if output.status.success() => Ok(rate),
            _ => bail!("pgbench: {}", String::from_utf8_lossy(&output.stderr).trim_end()),
        }
    }

    /// Makes the role that owns what is measured, as soon as the server answers.
    fn make_owner(&mut self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot wait for the server")?;
        let role = format!("CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB");
        let owner = format!("{role}; ALTER DATABASE postgres OWNER TO {OWNER}");
        let began = Instant::now();
        loop {
            let made = runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(&self.url_of(SUPERUSER), NoTls).await?;
                let connection = tokio::spawn(connection);
                let made = client.batch_execute(&owner).await;
                drop(client);
                drop(connection.await);
                made
            });
            let Err(error) = made else { return Ok(()) };
            if self.process.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
                return Err(error).with_context(|| format!("it does not answer: {}", log.trim_end()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // The server can be collected once the watchdog has ended it; neither can be helped if it fails.
        let _ended = self.watchdog.wait();
        let _ended = self.process.wait();
    }
}

fn init(programs: &Path, dir: &Path, user: Option<(u32, u32)>) -> anyhow::Result<()> {
    let mut initdb = as_user(&programs.join("initdb"), user);
    initdb.args(["--auth=trust", "--no-locale", "--encoding=UTF8", "-U", SUPERUSER, "-D"]).arg(dir.join("data"));
    let output = initdb.stdin(Stdio::null()).output().context("cannot run initdb")?;
    if !output.status.success() {
        bail!("initdb: {}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(())
}

fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    // The current directory may be closed to that user.
    command.current_dir("/");
    command
}

/// Waits until its input ends, which it does when this process is gone at the latest.
fn watchdog(dir: &Path) -> anyhow::Result<Child> {
    let script = "cat >/dev/null; pid=$(head -n 1 \"$1/data/postmaster.pid\" 2>/dev/null) && kill -QUIT \"$pid\"
        n=0; while [ -e \"$1/data/postmaster.pid\" ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
        rm -rf \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "watchdog"]).arg(dir).stdin(Stdio::piped()).stdout(Stdio::null());
    // Ctrl-C is for this program: the watchdog lives on and cleans up.
    command.process_group(0).stderr(Stdio::null()).spawn().context("cannot watch over the server")
}

/// Where `initdb` and `postgres` are: the newest version.
fn programs() -> anyhow::Result<(u32, PathBuf)> {
    let found = std::fs::read_dir(VERSIONS).into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
    });
    let usable = found.filter(|(version, programs)| *version >= OLDEST && programs.join("initdb").exists());
    usable.max().with_context(|| {
        format!("there is no PostgreSQL {OLDEST} or newer in {VERSIONS}: install the package `postgresql-15`")
    })
}

/// User and group to run it as.
fn user() -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"].into_iter().find_map(|name| {
        let mut fields =
            users.lines().map(|line| line.split(':')).find(|fields| fields.clone().next() == Some(name))?;
        Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}
