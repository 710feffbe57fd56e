//! A PostgreSQL server of our own, in a folder that is deleted again: on a Unix socket, as a user that is not root, and durable.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};

/// The oldest version that the service works with.
const OLDEST: u32 = 15;
/// The most patience with a server that starts.
const PATIENCE: Duration = Duration::from_secs(60);
/// As much as the service may use for what it keeps of a store, roughly; the rest is as it comes.
const SETTINGS: [&str; 6] = [
    "max_connections=100",
    "shared_buffers=512MB",
    "max_wal_size=4GB",
    "synchronous_commit=on",
    "fsync=on",
    "log_min_messages=fatal",
];

/// A server. It ends when this is dropped; its folder is the caller's.
pub(super) struct Server {
    programs: PathBuf,
    dir: PathBuf,
    /// User and group to run as, if this process is root.
    user: Option<(u32, u32)>,
    /// The major version.
    pub(super) version: u32,
    process: Option<Child>,
}

impl Server {
    /// Makes a server in `dir`, which must not be there; none if the programs are not installed.
    pub(super) fn start(dir: &Path) -> anyhow::Result<Option<Self>> {
        let Some((version, programs)) = programs() else { return Ok(None) };
        std::fs::create_dir(dir).context("cannot make a folder for PostgreSQL")?;
        let user = match std::fs::metadata("/proc/self").context("cannot see who runs this")?.uid() {
            0 => Some(other_user().context("root cannot run PostgreSQL, and there is no other user")?),
            _ => None,
        };
        if let Some((user, group)) = user {
            chown(dir, Some(user), Some(group)).context("cannot give the folder to another user")?;
            open_above(dir)?;
        }
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
        let mut server = Self { programs, dir: dir.to_owned(), user, version, process: None };
        let mut initdb = server.command("initdb");
        initdb.args(["--auth=trust", "--no-locale", "--encoding=UTF8", "-U", "postgres", "-D"]).arg(dir.join("data"));
        let made = initdb.output().context("cannot run initdb")?;
        if !made.status.success() {
            return Err(anyhow!("initdb: {}", String::from_utf8_lossy(&made.stderr)));
        }
        server.run()?;
        Ok(Some(server))
    }

    fn run(&mut self) -> anyhow::Result<()> {
        let mut postgres = self.command("postgres");
        postgres.arg("-D").arg(self.dir.join("data")).arg("-k").arg(&self.dir).args(["-h", ""]);
        for setting in SETTINGS {
            postgres.args(["-c", setting]);
        }
        postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(postgres.spawn().context("cannot start PostgreSQL")?);
        let began = Instant::now();
        while !self.answers() {
            if began.elapsed() > PATIENCE {
                return Err(anyhow!("PostgreSQL does not answer"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn answers(&self) -> bool {
        let mut ready = self.command("pg_isready");
        ready.args(["-q", "-U", "postgres", "-h"]).arg(&self.dir);
        ready.status().is_ok_and(|status| status.success())
    }

    /// How a client finds it.
    pub(super) fn url(&self) -> String {
        format!("host={} user=postgres dbname=postgres", self.dir.display())
    }

    /// Has `pgbench` call a script from so many clients for so many seconds; transactions a second. The script lies in the server's
    /// folder.
    pub(super) fn pgbench(&self, script: &str, clients: usize, time: Duration) -> anyhow::Result<f64> {
        let file = self.dir.join("script.sql");
        std::fs::write(&file, script).context("cannot write a script")?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644))?;
        let mut pgbench = self.command("pgbench");
        pgbench.args(["-n", "-M", "prepared", "-j", "2", "-U", "postgres"]);
        pgbench.args(["-c", &clients.to_string(), "-T", &time.as_secs().max(1).to_string(), "-f"]).arg(&file);
        pgbench.arg("-h").arg(&self.dir).arg("postgres");
        let output = pgbench.output().context("cannot run pgbench")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        match rate {
            Some(rate) if output.status.success() => Ok(rate),
            _ => Err(anyhow!("pgbench: {}", String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// A program of the server's package, as the server's user.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        if let Some((user, group)) = self.user {
            command.gid(group).uid(user);
        }
        // The current directory may be closed to that user.
        command.current_dir("/");
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "-m", "immediate", "-s", "-D"]).arg(self.dir.join("data"));
        let stopped = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !stopped.is_ok_and(|status| status.success()) {
            process.kill().ok();
        }
        process.wait().ok();
    }
}

/// Where the programs are: the newest version.
fn programs() -> Option<(u32, PathBuf)> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
    });
    versions.filter(|(version, programs)| *version >= OLDEST && programs.join("initdb").exists()).max()
}

/// The user that the package makes, or nobody.
fn other_user() -> anyhow::Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse::<u32>().ok()?, fields.next()?.parse::<u32>().ok()?))
    };
    ["postgres", "nobody"].into_iter().find_map(ids).ok_or_else(|| anyhow!("neither `postgres` nor `nobody`"))
}

/// Lets another user reach a folder in a temporary one that only its owner may enter.
fn open_above(dir: &Path) -> anyhow::Result<()> {
    let Some(above) = dir.parent() else { return Ok(()) };
    Ok(std::fs::set_permissions(above, std::fs::Permissions::from_mode(0o711))?)
}
