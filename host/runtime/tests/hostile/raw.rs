//! Components written out by hand, for what no toolchain makes: resources of their own, components in components.

/// The types that the contract's functions share.
pub(crate) const TYPES: &str = r#"
  (import "backroom:types/types@0.1.0" (instance $types
    (type $p (record (field "code" string) (field "field" (option string)) (field "message" string)))
    (export "problem" (type $problem (eq $p)))
    (type $e (variant (case "refused" $problem) (case "denied" $problem) (case "conflict" $problem)
      (case "unavailable" $problem) (case "not-found" $problem) (case "invalid" (list $problem))))
    (export "error" (type $error (eq $e)))))
  (alias export $types "error" (type $error))"#;

/// A hand-made component. Everything is WebAssembly text.
#[derive(Default)]
pub(crate) struct Raw<'a> {
    /// Before the core module: imports, nested components, lowered functions as `(core func $name ...)`. `$memory` and
    /// `$realloc` are there.
    pub(crate) before: &'a str,
    /// What the core module is given, as `(export "name" (func $name))`.
    pub(crate) env: &'a str,
    /// Fields of the core module: imports first.
    pub(crate) fields: &'a str,
    /// The body of `run (param $input i32) (param $length i32) (result i32)`.
    pub(crate) run: &'a str,
}

/// Returns ok with the JSON `{}`.
pub(crate) const OK: &str =
    "(i32.store (i32.const 68) (i32.const 16)) (i32.store (i32.const 72) (i32.const 2)) (i32.const 64)";

impl Raw<'_> {
    pub(crate) fn component(&self) -> Vec<u8> {
        parse(&format!("(component {TYPES} {})", self.body()))
    }

    /// The same as one component within another, beside what `outer` has, of which `given` (as `(with "f" (func ...))`) is handed
    /// to it: a component must not call one that it has inside.
    pub(crate) fn beside(&self, outer: &str, given: &str) -> Vec<u8> {
        let types = TYPES.replace("backroom:types/types@0.1.0", "types");
        let component = parse(&format!(
            r#"(component {TYPES} {outer}
  (component $whole {types} {})
  (instance $whole (instantiate $whole (with "types" (instance $types)) {given}))
  (alias export $whole "run" (func $run))
  (export "run" (func $run)))"#,
            self.body()
        ));
        plugin(component)
    }

    fn body(&self) -> String {
        let Self { before, env, fields, run } = self;
        format!(
            r#"
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (data (i32.const 16) "{{}}")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next) (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  {before}
  (core instance $env {env} (export "memory" (memory $memory)))
  (core module $main
    (import "env" "memory" (memory 1))
    {fields}
    (func (export "run") (param $input i32) (param $length i32) (result i32) {run}))
  (core instance $main (instantiate $main (with "env" (instance $env))))
  (func $run' (param "input" string) (result (result string (error $error)))
    (canon lift (core func $main "run") (memory $memory) (realloc $realloc)))
  (export "run" (func $run'))"#
        )
    }

    pub(crate) fn plugin(&self) -> Vec<u8> {
        plugin(self.component())
    }
}

/// Text to bytes.
pub(crate) fn parse(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|why| panic!("{why}"))
}

/// A component that says it is a plugin.
pub(crate) fn plugin(component: Vec<u8>) -> Vec<u8> {
    crate::guest::with_manifest(component, &crate::guest::manifest(""))
}
