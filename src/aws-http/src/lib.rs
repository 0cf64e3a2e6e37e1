//! The HTTP client of the SDK, and which requests a proxy may see.
//!
//! AWS's APIs speak HTTPS, and go by the proxy of the environment. Plain HTTP is for what is
//! link-local: the instance metadata, which give the credentials out. A proxy that is asked for
//! them answers with those of its own instance.

#![warn(missing_docs)]

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, ConnectorBuilder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// The variables that name the proxy of HTTPS requests, the first that is set.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// Those that name hosts to be reached without it.
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// A client that reaches AWS by the proxy of the environment, and what is link-local by none.
pub fn client() -> SharedHttpClient {
    let proxy = proxy(variable);
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = ConnectorBuilder::default()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc));
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.set_proxy_config(Some(proxy.clone()));
        connector.build()
    })
}

/// The proxy of HTTPS requests alone.
fn proxy(variable: impl Fn(&str) -> Option<String>) -> ProxyConfig {
    let first = |names: &[&str]| names.iter().find_map(|name| variable(name));
    let Some(url) = first(&PROXIES) else { return ProxyConfig::disabled() };
    match ProxyConfig::https(url) {
        Ok(proxy) => match first(&EXCEPTIONS) {
            Some(hosts) => proxy.no_proxy(hosts),
            None => proxy,
        },
        Err(error) => {
            tracing::error!(%error, "proxy of the environment not used");
            ProxyConfig::disabled()
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the adapter to the environment's proxies")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_goes_by_a_proxy_and_what_is_none_by_none() {
        let of = |set: &'static [(&str, &str)]| {
            let found = |name: &str| set.iter().find(|(of, _)| *of == name);
            proxy(move |name| found(name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(of(&[]).is_disabled());
        assert!(of(&[("HTTP_PROXY", "http://proxy.example:3128")]).is_disabled());
        assert!(of(&[("HTTPS_PROXY", "no url at all")]).is_disabled());
        let used = of(&[("https_proxy", "http://proxy.example:3128"), ("NO_PROXY", "internal")]);
        let told = format!("{used:?}");
        assert!(told.contains("Https") && told.contains("internal"), "{told}");
    }
}
