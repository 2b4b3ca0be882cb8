//! How long a caller waits, as it says in `grpc-timeout`: up to eight digits and a unit.
//! Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

use std::time::Duration;

use tonic::metadata::MetadataMap;

/// What the caller says; nothing when it says nothing that makes sense.
pub(super) fn of(metadata: &MetadataMap) -> Option<Duration> {
    parse(metadata.get("grpc-timeout")?.to_str().ok()?)
}

fn parse(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if number.is_empty() || number.len() > 8 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, seconds) in
            [("2H", 7200.0), ("3M", 180.0), ("5S", 5.0), ("250m", 0.25), ("99999999u", 99.999_999), ("1n", 1e-9)]
        {
            assert_eq!(parse(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_says_nothing() {
        for text in ["", "S", "5", "-5S", "+5S", "5.0S", "123456789S", "5X", "5é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
