//! The options of the page.

use clap::Args;

use super::hosts::HostName;
use super::media::MediaUrl;

/// The options of the page.
#[derive(Args)]
pub(crate) struct PageOptions {
    /// Name by which browsers reach the page, besides localhost and addresses; repeatable. By other
    /// names it is not served, because a page elsewhere could read it [default: none]
    #[arg(long, value_name = "NAME")]
    pub(crate) page_host: Vec<HostName>,

    /// Scheme and host of the URLs that the page gives to copy, as https://media.example.org [default: those
    /// of --listen, by the host that the page was asked by]
    #[arg(long, value_name = "URL")]
    pub(crate) media_url: Option<MediaUrl>,
}
