//! The services of AWS by the name in their credential scope: how they answer, and what else
//! shows that a request is for them.
//!
//! The trap: the name in the scope is the signing name, and not always the one people use
//! (`monitoring` is CloudWatch, `email` is SES); plugins are registered under the name people use.

use super::protocol::Protocol;

/// What is known of a service that may or may not be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The name people use, and plugins have.
    pub name: &'static str,
    /// The name in the credential scope, and in host names.
    pub signing: &'static str,
    /// How it answers when a request does not show it.
    pub protocol: Protocol,
    /// How its `X-Amz-Target` begins, for those that have one.
    pub target: Option<&'static str>,
}

const fn known(name: &'static str, signing: &'static str, protocol: Protocol) -> Known {
    Known { name, signing, protocol, target: None }
}

const fn json(name: &'static str, signing: &'static str, target: &'static str) -> Known {
    Known { name, signing, protocol: Protocol::Json, target: Some(target) }
}

/// The services whose answers are known, in the order of their names.
pub const KNOWN: &[Known] = &[
    json("acm", "acm", "CertificateManager"),
    known("apigateway", "apigateway", Protocol::RestJson),
    known("cloudformation", "cloudformation", Protocol::Query),
    known("cloudfront", "cloudfront", Protocol::RestXml),
    known("cloudwatch", "monitoring", Protocol::Query),
    json("dynamodb", "dynamodb", "DynamoDB_"),
    json("dynamodbstreams", "dynamodb", "DynamoDBStreams_"),
    known("ec2", "ec2", Protocol::Ec2),
    json("ecr", "ecr", "AmazonEC2ContainerRegistry_"),
    json("ecs", "ecs", "AmazonEC2ContainerServiceV"),
    json("events", "events", "AWSEvents"),
    json("firehose", "firehose", "Firehose_"),
    known("iam", "iam", Protocol::Query),
    json("kinesis", "kinesis", "Kinesis_"),
    json("kms", "kms", "TrentService"),
    known("lambda", "lambda", Protocol::RestJson),
    json("logs", "logs", "Logs_"),
    known("rds", "rds", Protocol::Query),
    known("route53", "route53", Protocol::RestXml),
    known("s3", "s3", Protocol::S3),
    json("secretsmanager", "secretsmanager", "secretsmanager"),
    known("ses", "email", Protocol::Query),
    known("sns", "sns", Protocol::Query),
    known("sqs", "sqs", Protocol::Query),
    json("ssm", "ssm", "AmazonSSM"),
    json("stepfunctions", "states", "AWSStepFunctions"),
    known("sts", "sts", Protocol::Query),
];

/// The service with this name in the credential scope, or in a host name.
pub fn signed_as(signing: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.signing == signing)
}

/// The service that this `X-Amz-Target` is for.
pub fn targeted(target: &str) -> Option<&'static Known> {
    let begins = |known: &&Known| known.target.is_some_and(|prefix| target.starts_with(prefix));
    KNOWN.iter().find(begins)
}
