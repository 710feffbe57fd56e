//! Money never passes a float: neither the contract, nor the sources of the service, nor what plugins are given have one.
//!
//! The sources are searched for the names of floating-point types and for numbers with a point, each language by its own words. What may
//! stay is named with its reason, and fails when it is there no more.
#![expect(clippy::unwrap_used, reason = "a source that cannot be read is a failed test")]

use std::path::{Path, PathBuf};

/// Where there is one, and why it is no money.
const ALLOWED: [(&str, &str, &str); 15] = [
    ("host/cli/src/bench", "", "figures of time and of how often: no amount is among them"),
    ("host/cli/src/scenario/junit.rs", "", "seconds that tests took"),
    ("host/cli/src/scenario/tested.rs", "as_secs_f64", "milliseconds that tests took"),
    (
        "plugins/remote-allowance-typescript/amounts.ts",
        "Number(minor)",
        "a whole number that was found to be one of the exact ones",
    ),
    (
        "plugins/remote-allowance-typescript/amounts.ts",
        "product / BigInt(whole)",
        "whole numbers, with what is left over",
    ),
    ("plugins/remote-allowance-typescript/amounts.ts", "Number(quotient", "a part of an amount, which was exact"),
    (
        "plugins/remote-allowance-typescript/books.ts",
        "Math.abs(debits - credits)",
        "a difference of whole, exact numbers",
    ),
    ("plugins/remote-allowance-typescript/config.ts", "such as 500.00 USD", "the words of a message"),
    ("plugins/remote-allowance-typescript/people.ts", "Math.max(first, 1)", "the first day of a month"),
    ("plugins/sdk-typescript/index.ts", "Number(minor)", "a whole number that was found to be one of the exact ones"),
    (
        "plugins/sdk-typescript/index.ts",
        "Number(mantissa)",
        "a whole number that was found to be one of the exact ones",
    ),
    ("plugins/sdk-typescript/index.ts", "product / divisor", "whole numbers, with what is left over"),
    ("plugins/sdk-typescript/index.ts", "such as 500.00", "the words of a message"),
    ("plugins/sdk-typescript/index.ts", ".map(Number)", "year, month and day of a date"),
    ("plugins/sdk-typescript/index.ts", "Number.", "asks whether a number is a whole and exact one"),
];

/// Of files with these endings: what begins a comment, and the words that are not to be there.
const LANGUAGES: [(&[&str], &str, &[&str]); 7] = [
    (&["rs", "rs.in"], "//", &["f32", "f64"]),
    (&["wit"], "//", &["f32", "f64", "float32", "float64"]),
    (&["sql"], "--", &["real", "double", "float", "float4", "float8"]),
    (&["py", "py.in"], "#", &["float", "round", "/"]),
    (&["ts", "ts.in", "js.in"], "//", &["Number", "Math", "parseFloat", "toFixed", "/"]),
    (&["go", "go.in"], "//", &["float32", "float64"]),
    (&["c", "h", "c.in"], "//", &["float", "double"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The files to search, relative to the top folder.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let crates = ["cli", "domain", "kit", "office", "runtime", "server", "store"];
    let sources = crates.map(|name| format!("host/{name}/src"));
    let others = ["host/kit/template", "plugins", "wit", "tests/guests", "tests/languages"].map(str::to_owned);
    for folder in sources.iter().chain(&others) {
        below(&root().join(folder), &mut found);
    }
    found.iter().map(|path| path.strip_prefix(root()).unwrap().to_owned()).collect()
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            // What builds make; and the SDK beside a plugin, which is a link to the one that is looked at by itself.
            true if path.ends_with("target") || path.ends_with("bindings") || path.is_symlink() => {}
            true => below(&path, found),
            false => found.push(path),
        }
    }
}

/// The text without comments and without what is in double quotes, line for line.
fn bare(text: &str, comment: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let skipped = match first {
            _ if rest.starts_with(comment) => rest.find('\n').unwrap_or(rest.len()),
            _ if comment == "//" && rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ if rest.starts_with("r#\"") => rest.find("\"#").map_or(rest.len(), |end| end + 2),
            '\'' if rest.starts_with("'\"'") => 3,
            '"' => quoted(rest),
            _ => 0,
        };
        if skipped == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            rest = &rest[skipped..];
        }
    }
    out
}

/// How long the text in quotes is that this begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Is the word there, or a part of a name such as `as_secs_f64`? A slash is one that divides.
fn has(code: &str, word: &str) -> bool {
    match word {
        "/" => code.contains(" / "),
        word => code.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == word),
    }
}

/// A number such as `1.5`, which `a.0.1` is not, and the version `0.1.0` is not.
fn has_point(code: &str) -> bool {
    let digit = |at: usize| code.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    code.match_indices('.').any(|(at, _)| {
        let digits = code.bytes().take(at).rev().take_while(u8::is_ascii_digit).count();
        let before = at.checked_sub(digits + 1).and_then(|at| code.as_bytes().get(at));
        let own = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"._".contains(byte));
        let version = code[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('.');
        digits > 0 && digit(at + 1) && own && !version
    })
}

/// Is there a float in this line, which is bare?
fn float(line: &str, words: &[&str]) -> bool {
    has_point(line) || words.iter().any(|word| has(line, word))
}

fn language(path: &Path) -> Option<(&'static str, &'static [&'static str])> {
    let name = path.file_name()?.to_str()?;
    let of = |(endings, ..): &&(&[&str], &str, &[&str])| endings.iter().any(|e| name.ends_with(&format!(".{e}")));
    LANGUAGES.iter().find(of).map(|(_, comment, words)| (*comment, *words))
}

#[test]
fn no_source_has_a_float_that_is_not_allowed() {
    let (mut searched, mut wrong, mut used) = (0, Vec::new(), [false; ALLOWED.len()]);
    for path in files() {
        let Some((comment, words)) = language(&path) else { continue };
        searched += 1;
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        for (number, line) in (1..).zip(bare(&text, comment).lines()).filter(|(_, line)| float(line, words)) {
            let name = path.to_str().unwrap();
            let allowed = ALLOWED.iter().position(|(file, part, _)| name.starts_with(file) && line.contains(part));
            match allowed {
                Some(at) => used[at] = true,
                None => wrong.push(format!("{name}:{number}: {}", line.trim())),
            }
        }
    }
    assert!(wrong.is_empty(), "floats: {wrong:#?}");
    assert!(searched > 400, "{searched} files were searched");
    for ((file, part, reason), used) in ALLOWED.iter().zip(used) {
        assert!(used && !reason.is_empty(), "{file} has no float {part:?} any more: take it off the list");
    }
}

/// The search finds what it looks for.
#[test]
fn floats_are_found() {
    let rows = [
        ("rs", "let rate: f64 = x;", true),
        ("rs", "took.as_secs_f64()", true),
        ("rs", "amount * 1.5", true),
        ("rs", "pair.0.1 + self.0.0", false),
        ("rs", "let version = \"1.5\"; // as of 1.5", false),
        ("wit", "use backroom:types/types@0.1.0.{id};", false),
        ("wit", "price: float64,", true),
        ("wit", "/// No float64 here.", false),
        ("sql", "minor double precision", true),
        ("sql", "minor bigint", false),
        ("py", "minor = float(text)", true),
        ("py", "half = minor / 2", true),
        ("py", "half = minor // 2", false),
        ("ts", "const minor = Number(text);", true),
        ("ts", "const half = minor / 2;", true),
        ("go", "var minor float64", true),
        ("c", "double minor;", true),
        ("c", "uint64_t minor;", false),
    ];
    for (ending, line, wanted) in rows {
        let (comment, words) = language(Path::new(&format!("x.{ending}"))).unwrap();
        assert_eq!(float(&bare(line, comment), words), wanted, "{line}");
    }
}
