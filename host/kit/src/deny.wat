;; A system with nothing in it, in place of `wasi_snapshot_preview1`.
;;
;; The libraries of Go and C are built for a system and call it even if the program never does: for the time when they collect garbage, for
;; randomness when they make a map. This module answers them inside of the component. It imports nothing but the program's memory, so
;; the component needs no system either, and nothing in here can differ between two runs of the same input.
;;
;; Numbers of errors are those of WASI: 0 is success, 8 `badf`, 52 `nosys`.
(module
  (import "env" "memory" (memory 0))

  ;; Nanoseconds. Every look at a clock is a microsecond later than the one before, so that nothing waits for ever.
  (global $now (mut i64) (i64.const 0))
  (func $tick (result i64)
    (global.set $now (i64.add (global.get $now) (i64.const 1000)))
    (global.get $now))
  (func (export "clock_time_get") (param $clock i32) (param $precision i64) (param $time i32) (result i32)
    (i64.store (local.get $time) (call $tick))
    (i32.const 0))
  (func (export "clock_res_get") (param $clock i32) (param $resolution i32) (result i32)
    (i64.store (local.get $resolution) (i64.const 1000))
    (i32.const 0))

  ;; Waiting is over at once: the clock is put forward. A subscription has 48 bytes: its tag at 8 (0 is a clock), the time at 24, and at 40
  ;; whether that is a point in time; an event has 32, and begins with the 8 bytes by which the program knows the subscription.
  (func (export "poll_oneoff") (param $in i32) (param $out i32) (param $count i32) (param $events i32) (result i32)
    (local $until i64)
    (if (i32.eqz (local.get $count)) (then (return (i32.const 28))))
    (if (i32.load8_u offset=8 (local.get $in)) (then (return (i32.const 52))))
    (local.set $until (i64.load offset=24 (local.get $in)))
    (if (i32.eqz (i32.and (i32.load16_u offset=40 (local.get $in)) (i32.const 1)))
      (then (local.set $until (i64.add (global.get $now) (local.get $until)))))
    (if (i64.gt_u (local.get $until) (global.get $now)) (then (global.set $now (local.get $until))))
    (memory.fill (local.get $out) (i32.const 0) (i32.const 32))
    (i64.store (local.get $out) (i64.load (local.get $in)))
    (i32.store (local.get $events) (i32.const 1))
    (i32.const 0))
  (func (export "sched_yield") (result i32) (i32.const 0))

  ;; The high bytes of a linear congruential generator (the multiplier is Knuth's, of MMIX): well spread, the same in each run, no secret.
  (global $seed (mut i64) (i64.const 1))
  (func (export "random_get") (param $at i32) (param $length i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (global.set $seed
          (i64.add (i64.mul (global.get $seed) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
        (i64.store8 (local.get $at) (i64.shr_u (global.get $seed) (i64.const 56)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; No arguments and no variables.
  (func $none (param $count i32) (param $size i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $size) (i32.const 0))
    (i32.const 0))
  (export "args_sizes_get" (func $none))
  (export "environ_sizes_get" (func $none))
  (func $nothing (param i32 i32) (result i32) (i32.const 0))
  (export "args_get" (func $nothing))
  (export "environ_get" (func $nothing))

  ;; Output is taken and dropped: a vector has 8 bytes, the length of its piece at 4.
  (func (export "fd_write") (param $file i32) (param $vectors i32) (param $count i32) (param $written i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $vectors))))
        (local.set $vectors (i32.add (local.get $vectors) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; No files.
  (func $no_file (param i32) (result i32) (i32.const 8))
  (export "fd_close" (func $no_file))
  (func $no_file_2 (param i32 i32) (result i32) (i32.const 8))
  (export "fd_fdstat_get" (func $no_file_2))
  (export "fd_fdstat_set_flags" (func $no_file_2))
  (export "fd_prestat_get" (func $no_file_2))
  (export "fd_filestat_get" (func $no_file_2))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_read") (param i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))

  ;; Whoever gives up ends the run.
  (func (export "proc_exit") (param i32) unreachable))
