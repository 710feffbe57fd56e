//! Secrets of API keys.
//!
//! `brk_` + 64 hexadecimal digits (256 random bits) + 8 hexadecimal digits (the first four bytes of the BLAKE3 hash of what
//! stands before them). The prefix lets scanners find leaked keys (`brk_[0-9a-f]{72}`), the checksum lets them and us tell a
//! key from something that only looks like one, without asking the store.

use backroom_store::Hash;

const PREFIX: &str = "brk_";
const RANDOM_DIGITS: usize = 64;
const CHECK_DIGITS: usize = 8;

/// A new secret, shown once.
///
/// # Errors
/// The operating system has no random numbers.
pub(crate) fn draw() -> Result<String, getrandom::Error> {
    let mut random = [0u8; RANDOM_DIGITS / 2];
    getrandom::fill(&mut random)?;
    let body = format!("{PREFIX}{}", hex::encode(random));
    let check = check_of(&body);
    Ok(body + &check)
}

/// Does `text` have the form of a secret, checksum included?
pub(crate) fn is_well_formed(text: &str) -> bool {
    let body_len = PREFIX.len() + RANDOM_DIGITS;
    let Some((body, check)) = text.split_at_checked(body_len) else { return false };
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    body.strip_prefix(PREFIX).is_some_and(|random| random.bytes().all(digit)) && check == check_of(body)
}

fn check_of(body: &str) -> String {
    Hash::of(body.as_bytes()).to_string().chars().take(CHECK_DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_digit_is_no_key() {
        let secret = draw().unwrap();
        assert_eq!(secret.len(), 76);
        assert!(is_well_formed(&secret), "{secret}");
        assert_ne!(secret, draw().unwrap());
        for at in 0..secret.len() {
            let mut other = secret.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            let other = String::from_utf8(other).unwrap();
            assert!(!is_well_formed(&other), "{other}");
        }
        for bad in ["", "brk_", &secret[1..], &secret[..75], &format!("{secret}0"), &secret.to_uppercase(), "é"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
