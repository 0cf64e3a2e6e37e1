//! Whose certificates are believed.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::sync::OnceCell;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use vipward_core::config::Tls;

use crate::deadline::Deadline;
use crate::{ProbeFailure, file};

/// The authorities of a whole system are some 300 KB.
const LONGEST_CA_FILE: u64 = 1024 * 1024;

/// How to shake hands with that service.
pub(super) async fn configuration(
    tls: &Tls,
    deadline: &Deadline,
) -> Result<Arc<ClientConfig>, ProbeFailure> {
    if !tls.verify {
        return Ok(Arc::new(trusting_all()));
    }
    match &tls.ca_file {
        Some(path) => Ok(Arc::new(trusting(roots(path, deadline).await?))),
        None => of_the_system(deadline).await,
    }
}

/// Read once: the system's authorities are many, and change with its updates only.
async fn of_the_system(deadline: &Deadline) -> Result<Arc<ClientConfig>, ProbeFailure> {
    static SYSTEM: OnceCell<Arc<ClientConfig>> = OnceCell::const_new();
    let load = || async {
        let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
        let found = found.map_err(|error| error.to_string())?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err("this host has none: name a ca_file".to_owned());
        }
        Ok(Arc::new(trusting(roots)))
    };
    let missing = || "the system's authorities are not read".to_owned();
    let found = deadline.bound(SYSTEM.get_or_try_init(load), missing).await;
    let found = found.map_err(|late| ProbeFailure::inconclusive(late.to_string()))?;
    found
        .cloned()
        .map_err(|cause| ProbeFailure::inconclusive(format!("the system's authorities: {cause}")))
}

async fn roots(path: &Path, deadline: &Deadline) -> Result<RootCertStore, ProbeFailure> {
    let unfit = |cause: &dyn std::fmt::Display| file::unfit(path, "CA", cause);
    let text = file::read(path, "CA", LONGEST_CA_FILE, deadline).await?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| unfit(&error))?;
        roots.add(certificate).map_err(|error| unfit(&error))?;
    }
    if roots.is_empty() { Err(unfit(&"it holds no certificate")) } else { Ok(roots) }
}

fn trusting(roots: RootCertStore) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for both versions");
    finish(builder.with_root_certificates(roots).with_no_client_auth())
}

fn trusting_all() -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for both versions");
    let anybody = Arc::new(Anybody(provider()));
    let builder = builder.dangerous().with_custom_certificate_verifier(anybody);
    finish(builder.with_no_client_auth())
}

fn finish(mut config: ClientConfig) -> ClientConfig {
    config.resumption = Resumption::disabled();
    config
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())).clone()
}

/// Takes any certificate, but only from who holds its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
