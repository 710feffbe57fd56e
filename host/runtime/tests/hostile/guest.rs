//! Guests in a few lines: a core module in text, wrapped into a component with the contract's own types.
//!
//! What a scenario can use beside WebAssembly itself:
//!
//! * `$journal.post` and so on: every function of the contract, imported where its name is used;
//! * `@"text"`: address and length of the text, two operands;
//! * `$ok`, `$give`, `$lines`, `$move`, `$benefit`, `$everyone`: see [`PRELUDE`].
//!
//! Memory: `{}` at 16, the result of `run` at 64, results of host calls at 512, records at 1024, texts from 4096, what the host
//! puts there from 65536.

use std::collections::BTreeMap;

use backroom_runtime::MANIFEST_SECTION;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use crate::contract::Contract;

/// A guest; everything is WebAssembly text.
pub(crate) struct Guest<'a> {
    /// The body of `run (param $input i32) (param $length i32) (result i32)`: the address of the result.
    pub(crate) run: &'a str,
    /// Further fields of the module.
    pub(crate) fields: &'a str,
    /// The body of the reallocation, if not the usual one; the size wanted is local 3.
    pub(crate) realloc: Option<&'a str>,
    /// The body of what the host calls once it has taken the result.
    pub(crate) post: &'a str,
    /// Pages to begin with.
    pub(crate) pages: u32,
    /// How its texts are encoded.
    pub(crate) encoding: StringEncoding,
}

impl Default for Guest<'_> {
    fn default() -> Self {
        Self { run: OK, fields: "", realloc: None, post: "", pages: 4, encoding: StringEncoding::UTF8 }
    }
}

/// The body of a run that only returns ok.
pub(crate) const OK: &str = "(call $ok)";

/// Where texts begin.
const TEXTS: usize = 4096;
/// Where the host's values begin.
const HEAP: usize = 65536;

/// Functions for scenarios. The records are those of the contract, and valid as they are; a scenario spoils what it is about.
const PRELUDE: &str = r#"
  ;; Returns ok with the JSON `{}`.
  (func $ok (result i32)
    (i32.store8 (i32.const 64) (i32.const 0))
    (i32.store (i32.const 68) (i32.const 16)) (i32.store (i32.const 72) (i32.const 2)) (i32.const 64))
  ;; Returns the error that lies at the address.
  (func $give (param $error i32) (result i32)
    (i32.store8 (i32.const 64) (i32.const 1))
    (memory.copy (i32.const 68) (local.get $error) (i32.const 32)) (i32.const 64))
  ;; Writes a text into a record.
  (func $text (param $at i32) (param $text i32) (param $length i32)
    (i32.store (local.get $at) (local.get $text)) (i32.store offset=4 (local.get $at) (local.get $length)))
  ;; A line of a journal entry, 56 bytes: account 0, side 8, minor 16, currency 24, dimensions 32, memo 40.
  (func $line (param $at i32) (param $account i32) (param $length i32) (param $side i32) (param $minor i64)
    (memory.fill (local.get $at) (i32.const 0) (i32.const 56))
    (call $text (local.get $at) (local.get $account) (local.get $length))
    (i32.store8 offset=8 (local.get $at) (local.get $side))
    (i64.store offset=16 (local.get $at) (local.get $minor))
    (call $text (i32.add (local.get $at) (i32.const 24)) @"USD"))
  ;; Two lines at 1024 that balance.
  (func $lines (call $line (i32.const 1024) @"6100" (i32.const 0) (i64.const 100))
    (call $line (i32.const 1080) @"1000" (i32.const 1) (i64.const 100)))
  (func $day (param $at i32)
    (i32.store16 (local.get $at) (i32.const 2026)) (i32.store8 offset=2 (local.get $at) (i32.const 6))
    (i32.store8 offset=3 (local.get $at) (i32.const 30)))
  ;; A stock move at 1024: id 0, date 8, item 12, mantissa 24, scale 32, source 40, destination 48, lot 56, cost 72 (minor 80,
  ;; currency 88), worker 96, reason 108, entry 116.
  (func $move
    (memory.fill (i32.const 1024) (i32.const 0) (i32.const 160))
    (call $text (i32.const 1024) @"m1") (call $day (i32.const 1032)) (call $text (i32.const 1036) @"laptop")
    (i64.store (i32.const 1048) (i64.const 1)) (call $text (i32.const 1064) @"vendor") (call $text (i32.const 1072) @"stock")
    (i32.store8 (i32.const 1096) (i32.const 1)) (i64.store (i32.const 1104) (i64.const 100))
    (call $text (i32.const 1112) @"USD") (call $text (i32.const 1132) @"A test"))
  ;; A benefit line at 1024: id 0, worker 8, plan 16, first day 24, last day 28, minor 32, currency 40, cost centre 48, entry 56.
  (func $benefit
    (memory.fill (i32.const 1024) (i32.const 0) (i32.const 80))
    (call $text (i32.const 1024) @"b1") (call $text (i32.const 1032) @"w1") (call $text (i32.const 1040) @"housing")
    (call $day (i32.const 1048)) (call $day (i32.const 1052)) (i64.store (i32.const 1056) (i64.const 100))
    (call $text (i32.const 1064) @"USD") (call $text (i32.const 1072) @"CC-1"))
  ;; What `workers.list-employments` is asked, at 1024: place 24, cursor 28, limit 40. Everybody, from the cursor if there is one.
  (func $everyone (param $from i32) (param $cursor i32) (param $length i32) (param $limit i32)
    (memory.fill (i32.const 1024) (i32.const 0) (i32.const 48)) (i32.store8 (i32.const 1052) (local.get $from))
    (call $text (i32.const 1056) (local.get $cursor) (local.get $length)) (i32.store (i32.const 1064) (local.get $limit)))
"#;

/// Allocates behind what there is, and grows the memory if it must.
const REALLOC: &str = r#"(local $at i32) (local $end i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get 2))))
    (local.set $end (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (local.get $end) (i32.mul (memory.size) (i32.const 65536))) (then
      (drop (memory.grow (i32.add (i32.div_u (local.get 3) (i32.const 65536)) (i32.const 1))))))
    (global.set $next (local.get $end)) (local.get $at)"#;

impl Guest<'_> {
    /// The component, without a manifest.
    pub(crate) fn component(&self) -> Vec<u8> {
        let contract = Contract::get();
        let mut module = wat::parse_str(self.module()).unwrap_or_else(|why| panic!("{why}"));
        embed_component_metadata(&mut module, &contract.resolve, contract.world, self.encoding, false).unwrap();
        let mut encoder = ComponentEncoder::default();
        encoder.module(&module).unwrap_or_else(|why| panic!("{why:#}"));
        encoder.encode().unwrap_or_else(|why| panic!("{why:#}"))
    }

    fn module(&self) -> String {
        let Self { run, fields, post, pages, .. } = self;
        let realloc = self.realloc.unwrap_or(REALLOC);
        let after = match post.is_empty() {
            true => String::new(),
            false => format!("(func (export \"cabi_post_run\") (param i32) {post})"),
        };
        let code = format!(
            r#"(memory (export "memory") {pages}) (global $next (mut i32) (i32.const {HEAP}))
  {PRELUDE} {fields}
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
  (func $run (export "run") (param $input i32) (param $length i32) (result i32) {run}) {after}"#
        );
        let (code, texts) = place_texts(&code);
        let used = |name: &str| code.split(&format!("${name}")).skip(1).any(|rest| !rest.starts_with(is_word));
        let imports: String = Contract::get().functions.iter().filter(|f| used(&f.name)).map(|f| f.import()).collect();
        format!("(module {imports} {code} (data (i32.const 16) \"{{}}\") {texts})")
    }

    /// A plugin that wants every right there is.
    pub(crate) fn plugin(&self) -> Vec<u8> {
        with_manifest(self.component(), &manifest(ALL))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._$".contains(c)
}

/// Puts each `@"text"` into memory and its address and length in its place. A text has no quotes; `\xx` is a byte.
fn place_texts(code: &str) -> (String, String) {
    let mut placed = BTreeMap::new();
    let (mut out, mut data, mut next) = (String::new(), String::new(), TEXTS);
    let mut pieces = code.split("@\"");
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (text, rest) = piece.split_once('"').unwrap();
        // A backslash and two digits are one byte.
        let length = text.len() - 2 * text.matches('\\').count();
        let at = *placed.entry(text).or_insert_with(|| {
            data.push_str(&format!("(data (i32.const {next}) \"{text}\") "));
            let at = next;
            next += length.next_multiple_of(8);
            at
        });
        out.push_str(&format!("(i32.const {at}) (i32.const {length})"));
        out.push_str(rest);
    }
    assert!(next < HEAP, "the texts do not fit");
    (out, data)
}

/// A call of a host function with `operands`, and the run ends as the call did: with its error, or well.
pub(crate) fn answer(function: &str, operands: &str) -> String {
    let payload = Contract::get().function(function).payload.unwrap();
    format!(
        "(call ${function} {operands} (i32.const 512))
         (if (i32.load8_u (i32.const 512)) (then (return (call $give (i32.const {})))))",
        512 + payload
    )
}

/// [`answer`] as a whole body.
pub(crate) fn answers(function: &str, operands: &str) -> String {
    format!("{} {OK}", answer(function, operands))
}

/// Posts the two lines of `$lines` as an entry of this id.
pub(crate) fn post(id: &str) -> String {
    let operands =
        format!("@\"{id}\" (i32.const 2026) (i32.const 6) (i32.const 30) @\"A test\" (i32.const 1024) (i32.const 2)");
    format!("(call $lines) {}", answer("journal.post", &operands))
}

/// Every right that a plugin can want.
pub(crate) const ALL: &str = r#"
[[wants]]
why = "Tries everything."
state = true
[wants.ledger]
read = ["*"]
post = ["*"]
[wants.hr]
read = ["employment", "name", "contact", "compensation", "bank", "benefits"]
benefits = ["*"]
[wants.inventory]
read = ["*"]
move-items = ["*"]
move-from = ["*"]
move-to = ["*"]
"#;

/// The text of a `plugin.toml`.
pub(crate) fn manifest(wants: &str) -> String {
    format!("name = \"test\"\nversion = \"1.0.0\"\ndescription = \"A test.\"\n{wants}")
}

/// A component with this manifest.
pub(crate) fn with_manifest(component: Vec<u8>, manifest: &str) -> Vec<u8> {
    with_section(component, MANIFEST_SECTION, manifest.as_bytes())
}

/// A component with a custom section.
pub(crate) fn with_section(mut component: Vec<u8>, name: &str, data: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    leb(&mut body, name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(data);
    component.push(0);
    leb(&mut component, body.len());
    component.extend(body);
    component
}

fn leb(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7F) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
