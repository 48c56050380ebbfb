//! What the command line and the environment say to `medley serve`.
//!
//! In: arguments and variables, by `clap`. Out: settings that were given; those that were not stay `None`. Never: a default.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::{ConfigError, LogFormat};
use crate::compositor::Choice;

/// What `medley serve` takes on the command line and from the environment.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeArgs {
    /// Development mode: no keys, everything allowed, loopback only
    #[arg(long, env = "MEDLEY_DEV")]
    pub dev: bool,
    /// TOML file; see medley.example.toml
    #[arg(long, value_name = "FILE", env = "MEDLEY_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where HTTP is served
    #[arg(long, value_name = "ADDR:PORT", env = "MEDLEY_HTTP")]
    pub http: Option<SocketAddr>,
    /// The one port for all media
    #[arg(long, value_name = "ADDR:PORT", env = "MEDLEY_UDP")]
    pub udp: Option<SocketAddr>,
    /// Address that clients send media to, where it is not the machine's own; may be given more than once
    #[arg(long, value_name = "IP", env = "MEDLEY_ADVERTISE", value_delimiter = ',')]
    pub advertise: Vec<IpAddr>,
    /// Where the server keeps files; fonts in its folder `fonts` are used for names
    #[arg(long, value_name = "DIR", env = "MEDLEY_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// What composites
    #[arg(long, value_enum, env = "MEDLEY_COMPOSITOR")]
    pub compositor: Option<Choice>,
    /// Log lines for people or for machines
    #[arg(long, value_enum, env = "MEDLEY_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Log levels, such as `info` or `medley=debug,webrtc=warn`
    #[arg(long, value_name = "LEVELS", env = "MEDLEY_LOG")]
    pub log: Option<String>,
}

/// The environment variables that there are; the last two are the test suite's.
pub(super) const ENVIRONMENT: [&str; 11] = [
    "MEDLEY_DEV",
    "MEDLEY_CONFIG",
    "MEDLEY_HTTP",
    "MEDLEY_UDP",
    "MEDLEY_ADVERTISE",
    "MEDLEY_DATA_DIR",
    "MEDLEY_COMPOSITOR",
    "MEDLEY_LOG_FORMAT",
    "MEDLEY_LOG",
    "MEDLEY_CHROMIUM",
    "MEDLEY_BLESS",
];

/// Refuses environment variables that look like ours and are not.
///
/// # Errors
/// [`ConfigError::Environment`] with the first such name.
pub fn check_environment(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let mut unknown = names.filter(|name| name.starts_with("MEDLEY_") && !ENVIRONMENT.contains(&name.as_str()));
    unknown.next().map_or(Ok(()), |name| Err(ConfigError::Environment(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_environment_variable_is_refused() {
        let names = |name: &str| vec!["PATH".to_string(), name.to_string()].into_iter();
        assert!(check_environment(names("MEDLEY_HTTP")).is_ok());
        assert!(check_environment(names("MEDLEY_HTPT")).unwrap_err().to_string().contains("MEDLEY_HTTP,"));
    }
}
