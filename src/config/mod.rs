//! Configuration: a TOML file, under the environment, under the flags. Checked once, into a type that cannot be wrong.
//!
//! In: texts. Out: [`Config`], or an error that names the key and what is allowed. Never: a default that hides a typing error.

mod args;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;

use crate::compositor::Choice;
use crate::http::IceServer;
use crate::players::FileLimits;
use crate::record::RecordingSettings;
use crate::rooms::spec::RoomSpec;
pub use args::{ServeArgs, check_environment};

/// Everything that `medley serve` can be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Development mode: no keys, loopback only.
    pub dev: bool,
    /// Where HTTP is served; default `127.0.0.1:8080`.
    pub http: SocketAddr,
    /// The one port for all media; default `127.0.0.1:50000` in development mode, else `0.0.0.0:50000`.
    pub udp: Option<SocketAddr>,
    /// Addresses that clients are told to send media to; default those of `udp`.
    pub advertise: Vec<IpAddr>,
    /// Where rooms, templates, images and files are kept; without it, they are gone when the server ends. Fonts in its folder `fonts`
    /// write the names that other fonts cannot.
    pub data_dir: Option<PathBuf>,
    /// What composites; default `auto`.
    pub compositor: Choice,
    /// Sessions at once, in all rooms; 1 to 100 000, default 500. Recordings, HLS, MJPEG and Ogg are none.
    pub max_sessions: usize,
    /// Whether joining a room that is not there makes it; default true. Otherwise only an admin makes rooms.
    pub rooms_on_demand: bool,
    /// Decoding threads, 1 to 256; default one a core.
    pub decode_threads: Option<usize>,
    /// STUN and TURN servers told to clients.
    pub ice_servers: Vec<IceServer>,
    /// SHA-256 of each key that may use the API, as `sha256:` and 64 hex digits.
    pub api_keys: Vec<String>,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Where recordings are kept, and what bounds them.
    pub recording: RecordingSettings,
    /// Uploaded files that play into rooms.
    pub files: FilesConfig,
    /// What rooms start as: the same as the body of `PUT /v1/rooms/{room}`.
    pub room: RoomSpec,
}

/// Bounds on uploaded files.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilesConfig {
    /// Bytes of a file at most; default 268435456 (256 MiB).
    pub max_bytes: u64,
    /// Bytes of all files at most; default 4294967296 (4 GiB).
    pub max_total_bytes: u64,
}

impl Default for FilesConfig {
    fn default() -> Self {
        let FileLimits { max_bytes, max_total_bytes } = FileLimits::default();
        Self { max_bytes, max_total_bytes }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Lines for people or for machines.
    pub format: LogFormat,
    /// Levels, such as `info` or `medley=debug,webrtc=warn`.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dev: false,
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            udp: None,
            advertise: Vec::new(),
            data_dir: None,
            compositor: Choice::Auto,
            max_sessions: 500,
            rooms_on_demand: true,
            decode_threads: None,
            ice_servers: Vec::new(),
            api_keys: Vec::new(),
            log: LogConfig::default(),
            recording: RecordingSettings::default(),
            files: FilesConfig::default(),
            room: RoomSpec::default(),
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info,webrtc=error,rtc=error,wgpu=warn,naga=warn".into() }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration file {path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is no TOML, has a key that there is not (the message lists those there are), or a value that the key does not take.
    #[error("configuration file {path}: {key}: {error}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Such as `room.canvas.fps`; `.` where it is the file as a whole.
        key: String,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
    /// A value is out of its range.
    #[error("{key} is {value}: {rule}")]
    Value {
        /// The key.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// An environment variable that looks like ours and is not.
    #[error("the environment has {0}, which there is not; there are {known}", known = args::ENVIRONMENT.join(", "))]
    Environment(String),
}

impl Config {
    /// The file's settings under the arguments' (which clap has already put over the environment).
    ///
    /// # Errors
    /// Where the file cannot be read, has unknown keys, or a value is out of range.
    pub fn load(args: ServeArgs) -> Result<Self, ConfigError> {
        let mut config = args.config.as_deref().map_or_else(|| Ok(Self::default()), Self::read)?;
        config.dev |= args.dev;
        config.http = args.http.unwrap_or(config.http);
        config.udp = args.udp.or(config.udp);
        config.data_dir = args.data_dir.or(config.data_dir);
        config.compositor = args.compositor.unwrap_or(config.compositor);
        config.log.format = args.log_format.unwrap_or(config.log.format);
        config.log.filter = args.log.unwrap_or(config.log.filter);
        if !args.advertise.is_empty() {
            config.advertise = args.advertise;
        }
        config.checked()
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Read { path: path.into(), error })?;
        let refused = |key: String, error| ConfigError::Parse { path: path.into(), key, error: Box::new(error) };
        let toml = toml::Deserializer::parse(&text).map_err(|error| refused(".".into(), error))?;
        serde_path_to_error::deserialize(toml).map_err(|error| refused(error.path().to_string(), error.into_inner()))
    }

    fn checked(self) -> Result<Self, ConfigError> {
        let refuse = |key, value: String, rule| Err(ConfigError::Value { key, value, rule });
        if self.dev && !self.http.ip().is_loopback() {
            return refuse(
                "http",
                self.http.to_string(),
                "development mode allows everything, so it is bound to loopback (127.0.0.1) only",
            );
        }
        if self.dev && !self.udp().ip().is_loopback() {
            return refuse("udp", self.udp().to_string(), "development mode is bound to loopback (127.0.0.1) only");
        }
        if !(1..=100_000).contains(&self.max_sessions) {
            return refuse("max_sessions", self.max_sessions.to_string(), "use 1 to 100000");
        }
        if !(1..=256).contains(&self.decode_threads()) {
            return refuse("decode_threads", self.decode_threads().to_string(), "use 1 to 256");
        }
        if self.files.max_total_bytes < self.files.max_bytes {
            return refuse("files.max_total_bytes", self.files.max_total_bytes.to_string(), "use files.max_bytes or more");
        }
        Ok(self)
    }

    /// Bounds on uploaded files.
    pub fn file_limits(&self) -> FileLimits {
        FileLimits { max_bytes: self.files.max_bytes, max_total_bytes: self.files.max_total_bytes }
    }

    /// The media port's address.
    pub fn udp(&self) -> SocketAddr {
        let ip = if self.dev { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        self.udp.unwrap_or(SocketAddr::from((ip, 50_000)))
    }

    /// The section `[recording]`, with the folder that is meant where none is named.
    pub fn recording(&self) -> RecordingSettings {
        let folder = self.recording.folder.clone().or_else(|| self.data_dir.as_ref().map(|folder| folder.join("recordings")));
        RecordingSettings { folder, ..self.recording.clone() }
    }

    /// How many threads decode.
    pub fn decode_threads(&self) -> usize {
        self.decode_threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, ServeArgs) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("medley.toml");
        std::fs::write(&path, text).unwrap();
        (folder, ServeArgs { config: Some(path), ..ServeArgs::default() })
    }

    #[test]
    fn flags_stand_over_the_file() {
        let (_folder, mut args) = file("http = \"127.0.0.1:9000\"\nadvertise = [\"192.0.2.1\"]\n[log]\nfilter = \"debug\"");
        args.http = Some("127.0.0.1:9001".parse().unwrap());
        let config = Config::load(args).unwrap();
        assert_eq!(config.http.port(), 9001);
        assert_eq!(config.log.filter, "debug");
        assert_eq!(config.advertise, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn an_unknown_key_is_refused_and_the_known_ones_are_named() {
        let (_folder, args) = file("[room.canvas]\nheigth = 720");
        let message = Config::load(args).unwrap_err().to_string();
        assert!(message.contains("room.canvas") && message.contains("heigth") && message.contains("`height`"), "{message}");
    }

    #[test]
    fn values_out_of_range_name_the_key_and_the_rule() {
        for (text, key) in
            [("max_sessions = 0", "max_sessions"), ("decode_threads = 0", "decode_threads"), ("dev = true\nhttp = \"0.0.0.0:80\"", "http")]
        {
            let (_folder, args) = file(text);
            let message = Config::load(args).unwrap_err().to_string();
            assert!(message.starts_with(key), "{text}: {message}");
        }
    }

    #[test]
    fn a_value_that_a_key_does_not_take_is_refused_with_its_path() {
        for (text, key, rule) in [
            ("[room.canvas]\nfps = 61", "room.canvas.fps", "5 to 60"),
            ("[room.canvas]\nbackground = \"red\"", "room.canvas.background", "#"),
            ("[[room.renditions]]\nname = \"a b\"", "room.renditions[0].name", "A-Z"),
            ("rooms_on_demand = \"no\"", "rooms_on_demand", "boolean"),
            ("[recording]\nmax_seconds = 0", "recording.max_seconds", "1 to 604800"),
        ] {
            let (_folder, args) = file(text);
            let message = Config::load(args).unwrap_err().to_string();
            assert!(message.contains(&format!(": {key}: ")) && message.contains(rule), "{text}: {message}");
        }
    }

    #[test]
    fn the_example_file_holds_exactly_the_defaults() {
        let example: Config = toml::from_str(include_str!("../../medley.example.toml")).unwrap();
        assert_eq!(format!("{example:?}"), format!("{:?}", Config::default()));
    }
}
