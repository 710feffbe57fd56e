//! Hand-made guests, and the service around them.

use std::sync::{Arc, LazyLock};

use backroom_domain::rights::{Grant, Rights};
use backroom_domain::{Id, Instant};
use backroom_office::{NewInstallation, Office};
use backroom_runtime::{MANIFEST_SECTION, Mode, RunRequest, Runner, Runtime, RuntimeOptions};
use backroom_store::records::{Limits, Release, Tenant};
use backroom_store::{Store, TenantNo};

/// One runtime for all tests of a program: its pool is large.
pub(crate) fn runtime() -> Arc<Runtime> {
    static RUNTIME: LazyLock<Arc<Runtime>> = LazyLock::new(|| {
        let options = RuntimeOptions { concurrency: 8, ..RuntimeOptions::default() };
        Arc::new(Runtime::new(options).unwrap())
    });
    Arc::clone(&RUNTIME)
}

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

pub(crate) const NOW: Instant = Instant(1_782_777_600_000_000);

/// The types that the contract's functions share.
const TYPES: &str = r#"
  (import "backroom:types/types@0.1.0" (instance $types
    (type $p (record (field "code" string) (field "field" (option string)) (field "message" string)))
    (export "problem" (type $problem (eq $p)))
    (type $e (variant (case "refused" $problem) (case "denied" $problem) (case "conflict" $problem)
      (case "unavailable" $problem) (case "not-found" $problem) (case "invalid" (list $problem))))
    (export "error" (type $error (eq $e)))))
  (alias export $types "error" (type $error))"#;

/// What a hand-made guest is made of. Everything is WebAssembly text.
#[derive(Default)]
pub(crate) struct Guest<'a> {
    /// Imports of the component.
    pub(crate) imports: &'a str,
    /// Definitions between imports and core module: lowered functions, as `(core func $name ...)`.
    pub(crate) lowered: &'a str,
    /// Exports of the core instance `env`, as `(export "name" (func $name))`.
    pub(crate) env: &'a str,
    /// Fields of the core module: imports first.
    pub(crate) fields: &'a str,
    /// The body of `run (param $input i32) (param $length i32) (result i32)`: the address of the result.
    pub(crate) run: &'a str,
    /// Body of the reallocation, if not the usual one.
    pub(crate) realloc: Option<&'a str>,
}

/// Returns ok with the JSON `{}`: the usual end of a body.
pub(crate) const OK: &str =
    "(i32.store (i32.const 68) (i32.const 16)) (i32.store (i32.const 72) (i32.const 2)) (i32.const 64)";

/// Memory: `{}` at 16, the result at 64, text of the tests at 256 and above, allocations from 4096.
pub(crate) fn component(guest: &Guest<'_>) -> Vec<u8> {
    let Guest { imports, lowered, env, fields, run, realloc } = guest;
    let bump = "(global.get $next) (global.set $next (i32.add (global.get $next) (local.get 3)))";
    let realloc = realloc.unwrap_or(bump);
    let text = format!(
        r#"(component {TYPES} {imports}
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (data (i32.const 16) "{{}}")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc}))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  {lowered}
  (core instance $env {env} (export "memory" (memory $memory)))
  (core module $main
    (import "env" "memory" (memory 1))
    {fields}
    (func (export "run") (param $input i32) (param $length i32) (result i32) {run}))
  (core instance $main (instantiate $main (with "env" (instance $env))))
  (func $run (param "input" string) (result (result string (error $error)))
    (canon lift (core func $main "run") (memory $memory) (realloc $realloc)))
  (export "run" (func $run)))"#
    );
    wat::parse_str(&text).unwrap_or_else(|why| panic!("{why}"))
}

/// A plugin: a component with its `plugin.toml`.
pub(crate) fn plugin(guest: &Guest<'_>, wants: &str) -> Vec<u8> {
    with_manifest(component(guest), &manifest(wants))
}

pub(crate) fn manifest(wants: &str) -> String {
    format!("name = \"test\"\nversion = \"1.0.0\"\ndescription = \"A test.\"\n{wants}")
}

pub(crate) fn with_manifest(mut component: Vec<u8>, manifest: &str) -> Vec<u8> {
    let mut body = Vec::new();
    leb(&mut body, MANIFEST_SECTION.len());
    body.extend_from_slice(MANIFEST_SECTION.as_bytes());
    body.extend_from_slice(manifest.as_bytes());
    component.push(0);
    leb(&mut component, body.len());
    component.extend(body);
    component
}

pub(crate) fn leb(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7F) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A body that only runs `code` before it ends well.
pub(crate) fn then_ok(code: &str) -> String {
    format!("{code} {OK}")
}

/// A guest that can write and read its own state.
pub(crate) fn state_guest<'a>(fields: &'a str, run: &'a str) -> Guest<'a> {
    Guest {
        imports: r#"
  (import "backroom:host/state@0.1.0" (instance $state
    (alias outer 1 $error (type $error))
    (export "error" (type $err (eq $error)))
    (export "set" (func (param "key" string) (param "value" (list u8)) (result (result (error $err)))))
    (export "get" (func (param "key" string) (result (result (option (list u8)) (error $err)))))))"#,
        lowered: r#"
  (core func $set (canon lower (func $state "set") (memory $memory) (realloc $realloc)))
  (core func $get (canon lower (func $state "get") (memory $memory) (realloc $realloc)))"#,
        env: r#"(export "set" (func $set)) (export "get" (func $get))"#,
        fields,
        run,
        realloc: None,
    }
}

/// Fields of a module that uses [`state_guest`].
pub(crate) const STATE_FIELDS: &str = r#"
    (import "env" "set" (func $set (param i32 i32 i32 i32 i32)))
    (import "env" "get" (func $get (param i32 i32 i32)))
    (data (i32.const 256) "key")"#;

/// Sets the key `key` to the input, and ends well, or with the error that it got.
pub(crate) const SET_TO_INPUT: &str = r#"
    (call $set (i32.const 256) (i32.const 3) (local.get $input) (local.get $length) (i32.const 512))
    (if (i32.load8_u (i32.const 512)) (then
      ;; The error's variant, 32 bytes at 516, becomes the one of the result.
      (i32.store8 (i32.const 64) (i32.const 1))
      (memory.copy (i32.const 68) (i32.const 516) (i32.const 32))
      (return (i32.const 64))))"#;

/// A service with one tenant.
pub(crate) struct Service {
    pub(crate) runner: Runner,
    pub(crate) office: Office,
    pub(crate) tenant: Tenant,
    pub(crate) dir: tempfile::TempDir,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::over(Store::memory())
    }

    pub(crate) fn over(store: Store) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let office = Office::new(store.clone());
        let tenant = office.create_tenant("admin", NOW, id("acme"), "Acme").unwrap().value;
        let runner = Runner::new(store, runtime(), &dir.path().join("releases")).unwrap();
        Self { runner, office, tenant, dir }
    }

    pub(crate) fn tenant(&self) -> TenantNo {
        TenantNo(self.tenant.number)
    }

    pub(crate) fn upload(&self, bytes: &[u8]) -> Release {
        self.runner.upload("admin", NOW, bytes).unwrap()
    }

    /// Uploads a plugin and puts it to use as `test`, with everything granted.
    pub(crate) fn install(&self, bytes: &[u8], limits: Limits) -> Release {
        let release = self.upload(bytes);
        let grants = Grant { administer: false, ..Grant::all() }.into();
        let config = [("greeting".to_owned(), "hello".to_owned())].into();
        let new = NewInstallation {
            name: id("test"),
            release: release.digest.clone(),
            grants,
            config,
            limits,
            accept_rights: false,
        };
        self.office.install("admin", NOW, self.tenant(), new).unwrap();
        release
    }

    pub(crate) fn request(&self, mode: Mode, input: &str) -> RunRequest {
        RunRequest {
            tenant: self.tenant(),
            actor: "anna".to_owned(),
            rights: Arc::new(Rights::all()),
            installation: id("test"),
            id: None,
            input: input.into(),
            date: None,
            mode,
            now: NOW,
        }
    }
}
