//! What runs a pod's network, from the metric `chemmodel_server_info` in the text format of Prometheus.

const METRIC: &str = "chemmodel_server_info{";
const LABEL: &str = "provider";

/// The provider in capitals, such as `CPU` or `CUDA`; none when the metrics do not say it.
pub fn of_metrics(text: &str) -> Option<String> {
    let labels = text.lines().find_map(|line| line.strip_prefix(METRIC))?;
    label(labels, LABEL).filter(|provider| !provider.is_empty()).map(|provider| provider.to_ascii_uppercase())
}

/// The value of one of `a="x",b="y"} 1`. Values may hold anything; quotes and backslashes in them are escaped.
fn label(mut labels: &str, wanted: &str) -> Option<String> {
    loop {
        let (name, rest) = labels.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(characters.next()?.1),
                (_, c) => value.push(c),
            }
        };
        if name.trim_start_matches(',') == wanted {
            return Some(value);
        }
        labels = &rest[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_is_found_among_other_labels_and_metrics() {
        let text = "# HELP chemmodel_server_info What runs here; always 1\n# TYPE chemmodel_server_info gauge\n\
                    chemmodel_panics_total{model=\"m\"} 0\n\
                    chemmodel_server_info{build=\"0.1.0\",digest=\"sha256:0\",model=\"m\",provider=\"cuda\",threads=\"2\"} 1\n";
        assert_eq!(of_metrics(text).as_deref(), Some("CUDA"));
    }

    #[test]
    fn a_value_that_looks_like_a_label_is_not_one() {
        let text = "chemmodel_server_info{model=\"x\\\",provider=\\\"cuda\",provider=\"cpu\"} 1";
        assert_eq!(of_metrics(text).as_deref(), Some("CPU"));
    }

    #[test]
    fn metrics_that_do_not_say_it_name_no_provider() {
        for text in [
            "",
            "chemmodel_server_info 1",
            "chemmodel_server_info{} 1",
            "chemmodel_server_info{provider=\"\"} 1",
            "chemmodel_server_info{provider=\"cp",
            "chemmodel_server_info{xprovider=\"cpu\"} 1",
            "other{provider=\"cpu\"} 1",
        ] {
            assert_eq!(of_metrics(text), None, "{text}");
        }
    }
}
