//! Programs that tests start on the node, so that pods can reach them. The node must be this machine.

use std::net::{IpAddr, TcpListener};

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::Node;
use kube::api::ListParams;
use kube::{Api, Client};

/// A port that nobody has now.
pub fn free_port(address: IpAddr) -> Result<u16> {
    Ok(TcpListener::bind((address, 0))?.local_addr()?.port())
}

/// Where pods reach what runs on the node.
pub async fn address(client: &Client) -> Result<IpAddr> {
    let nodes = Api::<Node>::all(client.clone()).list(&ListParams::default()).await?.items;
    let addresses = nodes.into_iter().filter_map(|node| node.status?.addresses).flatten();
    let internal = addresses.into_iter().find(|address| address.type_ == "InternalIP");
    Ok(internal.context("the cluster has no node with an address")?.address.parse()?)
}
