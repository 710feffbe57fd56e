//! A system as a hand-made guest imports it, in WebAssembly text.

use crate::common::{Guest, plugin};

pub(crate) const WANTS: &str = "[[wants]]\nwhy = \"Looks.\"\nobserve = true\nstate = true\n";

/// A guest with `fields` beside the imports of a system, and this body.
pub(crate) fn guest(fields: &str, run: &str) -> Vec<u8> {
    // Lists of handles and of strings want their places aligned.
    let aligned = "(global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.get $next) (global.set $next (i32.add (global.get $next) (local.get 3)))";
    built(fields, run, Some(aligned), WANTS)
}

pub(crate) fn built(fields: &str, run: &str, realloc: Option<&str>, wants: &str) -> Vec<u8> {
    let fields = format!("{CORE} {fields}");
    plugin(&Guest { imports: IMPORTS, lowered: LOWERED, env: ENV, fields: &fields, run, realloc }, wants)
}

/// In several versions, as components that were linked from several parts have them.
pub(crate) const IMPORTS: &str = r#"
  (import "wasi:io/error@0.2.3" (instance $io-error (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $io-failure))
  (import "wasi:io/poll@0.2.9" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $p)) (result bool)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))
    (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/streams@0.2.3" (instance $streams
    (alias outer 1 $io-failure (type $f)) (export "error" (type $failure (eq $f)))
    (export "input-stream" (type $in (sub resource)))
    (export "output-stream" (type $out (sub resource)))
    (type $e (variant (case "last-operation-failed" (own $failure)) (case "closed")))
    (export "stream-error" (type $error (eq $e)))
    (export "[method]input-stream.blocking-read"
      (func (param "self" (borrow $in)) (param "len" u64) (result (result (list u8) (error $error)))))
    (export "[method]output-stream.check-write" (func (param "self" (borrow $out)) (result (result u64 (error $error)))))
    (export "[method]output-stream.write"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $error)))))
    (export "[method]output-stream.write-zeroes"
      (func (param "self" (borrow $out)) (param "len" u64) (result (result (error $error)))))))
  (alias export $streams "input-stream" (type $input))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $input (type $i)) (export "input-stream" (type $in (eq $i)))
    (export "get-stdin" (func (result (own $in))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output (type $o)) (export "output-stream" (type $out (eq $o)))
    (export "get-stdout" (func (result (own $out))))))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer 1 $output (type $o)) (export "output-stream" (type $out (eq $o)))
    (export "get-stderr" (func (result (own $out))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))
    (export "initial-cwd" (func (result (option string))))))
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $monotonic
    (alias outer 1 $pollable (type $q)) (export "pollable" (type $p (eq $q)))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance $wall
    (type $d (record (field "seconds" u64) (field "nanoseconds" u32))) (export "datetime" (type $datetime (eq $d)))
    (export "now" (func (result $datetime)))))
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (import "wasi:random/insecure-seed@0.2.0" (instance $seed (export "insecure-seed" (func (result (tuple u64 u64))))))
  (import "wasi:filesystem/types@0.2.0" (instance $files
    (export "descriptor" (type $d (sub resource)))
    (type $e (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota" "exist" "file-too-large"
      "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io" "is-directory" "loop" "too-many-links"
      "message-size" "name-too-long" "no-device" "no-entry" "no-lock" "insufficient-memory" "insufficient-space"
      "not-directory" "not-empty" "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow" "not-permitted"
      "pipe" "read-only" "invalid-seek" "text-file-busy" "cross-device"))
    (export "error-code" (type $error (eq $e)))
    (export "[method]descriptor.readlink-at"
      (func (param "self" (borrow $d)) (param "path" string) (result (result string (error $error)))))))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $c)) (export "descriptor" (type $d (eq $c)))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))
  (import "wasi:sockets/network@0.2.0" (instance $network
    (export "network" (type (sub resource)))
    (type $e (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
      "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit" "address-not-bindable"
      "address-in-use" "remote-unreachable" "connection-refused" "connection-reset" "connection-aborted"
      "datagram-too-large" "name-unresolvable" "temporary-resolver-failure" "permanent-resolver-failure"))
    (export "error-code" (type (eq $e)))
    (type $f (enum "ipv4" "ipv6")) (export "ip-address-family" (type (eq $f)))))
  (alias export $network "network" (type $net))
  (alias export $network "error-code" (type $net-error))
  (alias export $network "ip-address-family" (type $family))
  (import "wasi:sockets/instance-network@0.2.0" (instance $instance-network
    (alias outer 1 $net (type $m)) (export "network" (type $n (eq $m)))
    (export "instance-network" (func (result (own $n))))))
  (import "wasi:sockets/tcp@0.2.0" (instance $tcp (export "tcp-socket" (type (sub resource)))))
  (alias export $tcp "tcp-socket" (type $socket))
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create
    (alias outer 1 $net-error (type $d)) (export "error-code" (type $error (eq $d)))
    (alias outer 1 $family (type $g)) (export "ip-address-family" (type $f (eq $g)))
    (alias outer 1 $socket (type $r)) (export "tcp-socket" (type $s (eq $r)))
    (export "create-tcp-socket" (func (param "address-family" $f) (result (result (own $s) (error $error)))))))
  (import "wasi:sockets/ip-name-lookup@0.2.0" (instance $lookup
    (alias outer 1 $net (type $m)) (export "network" (type $n (eq $m)))
    (alias outer 1 $net-error (type $d)) (export "error-code" (type $error (eq $d)))
    (export "resolve-address-stream" (type $s (sub resource)))
    (export "resolve-addresses"
      (func (param "network" (borrow $n)) (param "name" string) (result (result (own $s) (error $error)))))))"#;

const LOWERED: &str = r#"
  (core func $ready (canon lower (func $poll "[method]pollable.ready")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $poll (canon lower (func $poll "poll") (memory $memory) (realloc $realloc)))
  (core func $drop-pollable (canon resource.drop $pollable))
  (core func $drop-output (canon resource.drop $output))
  (core func $read (canon lower (func $streams "[method]input-stream.blocking-read") (memory $memory) (realloc $realloc)))
  (core func $check (canon lower (func $streams "[method]output-stream.check-write") (memory $memory)))
  (core func $write (canon lower (func $streams "[method]output-stream.write") (memory $memory)))
  (core func $zeroes (canon lower (func $streams "[method]output-stream.write-zeroes") (memory $memory)))
  (core func $stdin (canon lower (func $stdin "get-stdin")))
  (core func $stdout (canon lower (func $stdout "get-stdout")))
  (core func $stderr (canon lower (func $stderr "get-stderr")))
  (core func $variables (canon lower (func $environment "get-environment") (memory $memory) (realloc $realloc)))
  (core func $arguments (canon lower (func $environment "get-arguments") (memory $memory) (realloc $realloc)))
  (core func $cwd (canon lower (func $environment "initial-cwd") (memory $memory) (realloc $realloc)))
  (core func $exit (canon lower (func $exit "exit")))
  (core func $monotonic (canon lower (func $monotonic "now")))
  (core func $after (canon lower (func $monotonic "subscribe-duration")))
  (core func $wall (canon lower (func $wall "now") (memory $memory)))
  (core func $bytes (canon lower (func $random "get-random-bytes") (memory $memory) (realloc $realloc)))
  (core func $number (canon lower (func $random "get-random-u64")))
  (core func $seed (canon lower (func $seed "insecure-seed") (memory $memory)))
  (core func $readlink (canon lower (func $files "[method]descriptor.readlink-at") (memory $memory) (realloc $realloc)))
  (core func $folders (canon lower (func $preopens "get-directories") (memory $memory) (realloc $realloc)))
  (core func $network (canon lower (func $instance-network "instance-network")))
  (core func $socket (canon lower (func $create "create-tcp-socket") (memory $memory)))
  (core func $resolve (canon lower (func $lookup "resolve-addresses") (memory $memory)))"#;

const ENV: &str = r#"
  (export "ready" (func $ready)) (export "block" (func $block)) (export "poll" (func $poll))
  (export "drop-pollable" (func $drop-pollable)) (export "drop-output" (func $drop-output))
  (export "read" (func $read)) (export "check" (func $check)) (export "write" (func $write)) (export "zeroes" (func $zeroes))
  (export "stdin" (func $stdin)) (export "stdout" (func $stdout)) (export "stderr" (func $stderr))
  (export "variables" (func $variables)) (export "arguments" (func $arguments)) (export "cwd" (func $cwd))
  (export "exit" (func $exit)) (export "monotonic" (func $monotonic)) (export "after" (func $after))
  (export "wall" (func $wall)) (export "bytes" (func $bytes)) (export "number" (func $number)) (export "seed" (func $seed))
  (export "readlink" (func $readlink)) (export "folders" (func $folders)) (export "network" (func $network))
  (export "socket" (func $socket)) (export "resolve" (func $resolve))"#;

/// The imports of the core module, and what prints a number: sixteen letters from `a` to `p`, and the end of the line.
const CORE: &str = r#"
    (import "env" "ready" (func $ready (param i32) (result i32)))
    (import "env" "block" (func $block (param i32)))
    (import "env" "poll" (func $poll (param i32 i32 i32)))
    (import "env" "drop-pollable" (func $drop-pollable (param i32)))
    (import "env" "drop-output" (func $drop-output (param i32)))
    (import "env" "read" (func $read (param i32 i64 i32)))
    (import "env" "check" (func $check (param i32 i32)))
    (import "env" "write" (func $write (param i32 i32 i32 i32)))
    (import "env" "zeroes" (func $zeroes (param i32 i64 i32)))
    (import "env" "stdin" (func $stdin (result i32)))
    (import "env" "stdout" (func $stdout (result i32)))
    (import "env" "stderr" (func $stderr (result i32)))
    (import "env" "variables" (func $variables (param i32)))
    (import "env" "arguments" (func $arguments (param i32)))
    (import "env" "cwd" (func $cwd (param i32)))
    (import "env" "exit" (func $exit (param i32)))
    (import "env" "monotonic" (func $monotonic (result i64)))
    (import "env" "after" (func $after (param i64) (result i32)))
    (import "env" "wall" (func $wall (param i32)))
    (import "env" "bytes" (func $bytes (param i64 i32)))
    (import "env" "number" (func $number (result i64)))
    (import "env" "seed" (func $seed (param i32)))
    (import "env" "readlink" (func $readlink (param i32 i32 i32 i32)))
    (import "env" "folders" (func $folders (param i32)))
    (import "env" "network" (func $network (result i32)))
    (import "env" "socket" (func $socket (param i32 i32)))
    (import "env" "resolve" (func $resolve (param i32 i32 i32 i32)))
    (func $print (param $number i64) (local $at i32) (local $out i32)
      (loop $digit
        (i32.store8 (i32.add (i32.const 1024) (local.get $at))
          (i32.add (i32.const 97) (i32.wrap_i64 (i64.and (local.get $number) (i64.const 15)))))
        (local.set $number (i64.shr_u (local.get $number) (i64.const 4)))
        (br_if $digit (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 16))))
      (i32.store8 (i32.const 1040) (i32.const 10))
      (local.set $out (call $stdout))
      (call $write (local.get $out) (i32.const 1024) (i32.const 17) (i32.const 512))
      (call $drop-output (local.get $out)))"#;
