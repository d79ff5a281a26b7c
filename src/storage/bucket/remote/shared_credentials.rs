//! The file of credentials that the tools of Amazon share.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>

use std::sync::Arc;

use async_trait::async_trait;
use object_store::aws::AwsCredential;
use object_store::{CredentialProvider, Result};

use super::secret_file::SecretFile;

/// The credentials of a profile, as the file has them now.
#[derive(Debug)]
pub(super) struct SharedCredentials(pub(super) SecretFile<Arc<AwsCredential>>);

#[async_trait]
impl CredentialProvider for SharedCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> Result<Arc<AwsCredential>> {
        Ok(self.0.value())
    }
}

/// Reads the keys of a profile; `None` if one of the two is missing.
pub(super) fn parse(text: &str, profile: &str) -> Option<Arc<AwsCredential>> {
    let (mut key_id, mut secret_key, mut token) = (None, None, None);
    let mut is_in_profile = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_in_profile = name.trim() == profile;
        }
        let Some((name, value)) = line.split_once('=').filter(|_| is_in_profile) else { continue };
        let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match name.trim() {
            "aws_access_key_id" => key_id = value,
            "aws_secret_access_key" => secret_key = value,
            "aws_session_token" => token = value,
            _ => {}
        }
    }
    Some(Arc::new(AwsCredential { key_id: key_id?, secret_key: secret_key?, token }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_of_the_profile() {
        let text = "# aws_access_key_id = 0\n[other]\naws_access_key_id=1\naws_secret_access_key=2\n\
                    [ default ]\r\n aws_access_key_id = 3 \r\naws_secret_access_key = 4+/=\r\n\
                    aws_session_token=5==\n;aws_access_key_id=6\n[last]\naws_access_key_id=7\n";
        let keys = |profile| {
            let keys = parse(text, profile)?;
            Some((keys.key_id.clone(), keys.secret_key.clone(), keys.token.clone()))
        };
        assert_eq!(keys("default"), Some(("3".into(), "4+/=".into(), Some("5==".into()))));
        assert_eq!(keys("other"), Some(("1".into(), "2".into(), None)));
        assert_eq!(keys("last"), None);
        assert_eq!(keys("none"), None);
    }
}
