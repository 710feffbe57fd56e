//! `{{secret:NAME}}`: found, filled in on the way out, and put back in what comes in.

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::{Error, Id, Problem, Result};
use backroom_office::Work;
use backroom_office::calls::Request;
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"{{secret:";
const END: &[u8] = b"}}";

/// Secrets by name.
pub(super) type Revealed = BTreeMap<Id, Zeroizing<Vec<u8>>>;

/// The secrets that a request names, in values of headers and in the body. In names and in the address there are none: both are
/// written to logs on the other side.
pub(super) fn named(request: &Request, problems: &mut Vec<Problem>) -> BTreeSet<Id> {
    let mut found = BTreeSet::new();
    let mut look = |text: &[u8], field: &str| {
        for part in parts(text) {
            let Part::Secret(name) = part else { continue };
            match std::str::from_utf8(name).ok().and_then(|name| Id::parse(name, field).ok()) {
                Some(name) => drop(found.insert(name)),
                None => problems.push(Error::problem("header-invalid", field, "{{secret:NAME}} names no secret")),
            }
        }
    };
    for (at, (_, value)) in request.headers.iter().enumerate() {
        look(value.as_bytes(), &format!("headers[{at}]"));
    }
    look(&request.body, "body");
    found
}

/// The secrets as they are now. Errors: `secret-unknown`.
pub(super) fn reveal(work: &Work, names: &BTreeSet<Id>) -> std::result::Result<Revealed, backroom_office::Failure> {
    names.iter().map(|name| Ok((name.clone(), backroom_office::secrets::reveal(work, name)?))).collect()
}

/// The text with its secrets in it.
pub(super) fn fill(text: &[u8], secrets: &Revealed) -> Result<Zeroizing<Vec<u8>>> {
    let mut filled = Zeroizing::new(Vec::with_capacity(text.len()));
    for part in parts(text) {
        match part {
            Part::Plain(bytes) => filled.extend_from_slice(bytes),
            Part::Secret(name) => {
                let name = std::str::from_utf8(name).unwrap_or_default();
                let secret = secrets.get(name).ok_or_else(|| Error::not_found("secret", name))?;
                filled.extend_from_slice(secret);
            }
        }
    }
    Ok(filled)
}

/// Does it name a secret?
pub(super) fn has(text: &[u8]) -> bool {
    parts(text).any(|part| matches!(part, Part::Secret(_)))
}

/// What came in, with every secret that was sent replaced by its placeholder.
pub(super) fn mask(text: Vec<u8>, secrets: &Revealed) -> Vec<u8> {
    secrets.iter().fold(text, |text, (name, secret)| {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text.as_slice();
        while let Some(at) = find(rest, secret) {
            let (before, behind) = rest.split_at(at);
            out.extend_from_slice(before);
            out.extend_from_slice(BEGIN);
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(END);
            rest = behind.get(secret.len()..).unwrap_or_default();
        }
        if out.is_empty() {
            return text;
        }
        out.extend_from_slice(rest);
        out
    })
}

enum Part<'t> {
    Plain(&'t [u8]),
    Secret(&'t [u8]),
}

/// The text in parts; a placeholder without an end is plain text.
fn parts(text: &[u8]) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    let mut next = None;
    std::iter::from_fn(move || {
        if let Some(name) = next.take() {
            return Some(Part::Secret(name));
        }
        if rest.is_empty() {
            return None;
        }
        let begin = find(rest, BEGIN);
        let placed = begin.and_then(|begin| {
            let behind = rest.get(begin + BEGIN.len()..)?;
            let end = find(behind, END)?;
            Some((rest.get(..begin)?, behind.get(..end)?, behind.get(end + END.len()..)?))
        });
        let Some((before, name, behind)) = placed else { return Some(Part::Plain(std::mem::take(&mut rest))) };
        rest = behind;
        next = Some(name);
        Some(Part::Plain(before))
    })
}

/// Where `what` begins. A first byte that is rare makes this as fast as it needs to be for 1 MiB.
fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Revealed {
        let secret =
            |name: &str, text: &str| (Id::parse(name, "id").unwrap(), Zeroizing::new(text.as_bytes().to_vec()));
        [secret("bank", "s3cr3t-token"), secret("other", "0123456789")].into()
    }

    #[test]
    fn placeholders_are_filled_and_put_back() {
        let rows = [
            ("", ""),
            ("plain", "plain"),
            ("Bearer {{secret:bank}}", "Bearer s3cr3t-token"),
            ("{{secret:bank}}{{secret:other}}x{{secret:bank}}", "s3cr3t-token0123456789xs3cr3t-token"),
            ("{{secret:bank}", "{{secret:bank}"),
            ("{{secret:", "{{secret:"),
            ("}}{{secret:bank}}}}", "}}s3cr3t-token}}"),
        ];
        for (text, filled) in rows {
            let out = fill(text.as_bytes(), &secrets()).unwrap();
            assert_eq!(out.as_slice(), filled.as_bytes(), "{text}");
            assert_eq!(mask(out.to_vec(), &secrets()), text.as_bytes(), "{text}");
        }
        assert!(fill(b"{{secret:none}}", &secrets()).is_err());
        assert!(has(b"a{{secret:bank}}") && !has(b"a{{secret:bank}"));
    }

    /// What a secret holds is never taken for a placeholder.
    #[test]
    fn a_secret_is_not_looked_into() {
        let nested = [(Id::parse("a", "id").unwrap(), Zeroizing::new(b"{{secret:b}}".to_vec()))].into();
        assert_eq!(fill(b"{{secret:a}}", &nested).unwrap().as_slice(), b"{{secret:b}}");
    }

    #[test]
    fn names_are_found_where_they_may_stand() {
        let request = Request {
            method: backroom_domain::outbound::Method::Post,
            url: "https://a/{{secret:in-url}}".to_owned(),
            headers: vec![
                ("{{secret:in-name}}".into(), "{{secret:in-value}}".into()),
                ("a".into(), "{{secret:?}}".into()),
            ],
            body: b"{{secret:in-body}}".to_vec(),
            timeout_ms: 1,
        };
        let mut problems = Vec::new();
        let names: Vec<_> = named(&request, &mut problems).into_iter().map(String::from).collect();
        assert_eq!((names.as_slice(), problems.len()), (&["in-body".to_owned(), "in-value".to_owned()][..], 1));
    }
}
