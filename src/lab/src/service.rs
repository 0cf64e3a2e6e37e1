//! The services of the nodes as their clients see them: asking which node answers, and telling a
//! redis-server where it is and whom it follows.

use std::net::SocketAddrV4;
use std::time::Duration;

use clap::ValueEnum;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// The longest answer that is still a node's name.
const LONGEST_ANSWER: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServiceKind {
    /// The lab's own: answers each line with the node's name
    Builtin,
    /// A redis-server whose key `node` holds the node's name
    Redis,
}

impl ServiceKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Redis => "redis",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Connection(#[from] std::io::Error),
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("answered {0:?}")]
    UnexpectedReply(String),
}

/// Connects afresh and asks for the node's name; all of it within `limit`.
pub async fn answering_node(
    kind: ServiceKind,
    address: SocketAddrV4,
    limit: Duration,
) -> Result<String, ServiceError> {
    let answer = match kind {
        ServiceKind::Builtin => tokio::time::timeout(limit, line(address, "who\r\n")).await,
        ServiceKind::Redis => tokio::time::timeout(limit, redis_get(address)).await,
    };
    let answer = answer.map_err(|_| ServiceError::TimedOut(limit))??;
    if answer.is_empty() || answer.starts_with('-') {
        return Err(ServiceError::UnexpectedReply(answer));
    }
    Ok(answer)
}

/// Tells a redis-server the name of the node that it runs on.
pub async fn name_redis(
    address: SocketAddrV4,
    node: &str,
    limit: Duration,
) -> Result<(), ServiceError> {
    let request = format!("SET node {node}\r\n");
    let set = line(address, &request);
    match tokio::time::timeout(limit, set).await.map_err(|_| ServiceError::TimedOut(limit))?? {
        ok if ok == "+OK" => Ok(()),
        other => Err(ServiceError::UnexpectedReply(other)),
    }
}

/// Makes a redis-server the replica of another, or of none.
pub async fn replicate_redis(
    address: SocketAddrV4,
    primary: Option<SocketAddrV4>,
    limit: Duration,
) -> Result<(), ServiceError> {
    let request = match primary {
        Some(primary) => format!("REPLICAOF {} {}\r\n", primary.ip(), primary.port()),
        None => "REPLICAOF NO ONE\r\n".to_owned(),
    };
    let told = line(address, &request);
    match tokio::time::timeout(limit, told).await.map_err(|_| ServiceError::TimedOut(limit))?? {
        ok if ok.starts_with("+OK") => Ok(()),
        other => Err(ServiceError::UnexpectedReply(other)),
    }
}

async fn line(address: SocketAddrV4, request: &str) -> std::io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.write_all(request.as_bytes()).await?;
    read_line(&mut stream).await
}

/// `GET node` in redis's protocol: a line with the length, then a line with the value.
async fn redis_get(address: SocketAddrV4) -> std::io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    stream.write_all(b"GET node\r\n").await?;
    let length = read_line(&mut stream).await?;
    match length.strip_prefix('$') {
        Some(length) if !length.starts_with('-') => read_line(&mut stream).await,
        _ => Ok(format!("-{length}")),
    }
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut answer = String::new();
    stream.read_line(&mut answer).await?;
    if answer.is_empty() {
        return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "connection closed"));
    }
    answer.truncate(answer.trim_end().len().min(LONGEST_ANSWER));
    Ok(answer)
}
