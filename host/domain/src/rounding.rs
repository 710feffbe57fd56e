//! Rounding, always stated.

use serde::{Deserialize, Serialize};

/// How a quotient becomes a whole number of minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, minicbor::Encode, minicbor::Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum Rounding {
    /// To the nearest; a tie to the even neighbour (IEEE 754 roundTiesToEven, "banker's rounding").
    #[n(0)]
    HalfEven,
    /// To the nearest; a tie away from zero.
    #[n(1)]
    HalfUp,
    /// Towards zero.
    #[n(2)]
    Down,
    /// Away from zero.
    #[n(3)]
    Up,
}

/// `value * numerator / denominator`, exact in 128 bits and then rounded once.
///
/// `None` if the denominator is zero, the product passes 2^128 or the result passes 2^64.
pub fn mul_div(value: u64, numerator: u64, denominator: u64, rounding: Rounding) -> Option<u64> {
    let product = u128::from(value).checked_mul(u128::from(numerator))?;
    let denominator = u128::from(denominator);
    let quotient = product.checked_div(denominator)?;
    let rest = product.checked_rem(denominator)?;
    let twice = rest.checked_mul(2)?;
    let odd = quotient.checked_rem(2)? == 1;
    let up = match rounding {
        Rounding::HalfEven => twice > denominator || (twice == denominator && odd),
        Rounding::HalfUp => twice >= denominator,
        Rounding::Down => false,
        Rounding::Up => rest > 0,
    };
    u64::try_from(quotient.checked_add(u128::from(up))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_rounds_its_way() {
        use Rounding::{Down, HalfEven, HalfUp, Up};
        let rows = [
            (5, 1, 2, [2, 3, 2, 3]),
            (7, 1, 2, [4, 4, 3, 4]),
            (1, 1, 3, [0, 0, 0, 1]),
            (2, 1, 3, [1, 1, 0, 1]),
            (50_000, 15, 30, [25_000; 4]),
        ];
        for (v, n, d, want) in rows {
            let got = [HalfEven, HalfUp, Down, Up].map(|r| mul_div(v, n, d, r).unwrap());
            assert_eq!(got, want, "{v} * {n} / {d}");
        }
        assert_eq!(mul_div(1, 1, 0, Down), None);
        assert_eq!(mul_div(u64::MAX, 2, 1, Down), None);
    }
}
