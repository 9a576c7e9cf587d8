"""Trust stores: bundles and revocation lists from buckets, and the listeners that ask clients for certificates."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.planes.proxy.authorities import make, revoking
from tests.services.elbv2.site import Site, refused
from tests.services.elbv2.test_https import https, planned

PLACE = {"CaCertificatesBundleS3Bucket": "trust", "CaCertificatesBundleS3Key": "bundle.pem"}
LISTS = [{"S3Bucket": "trust", "S3Key": "list.pem", "RevocationType": "CRL"}]


def bucket(jar: TestJar) -> Any:
    s3 = jar.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="trust", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    return s3


def test_a_trust_store_is_made_of_a_bundle_and_revokes_by_lists(jar: TestJar) -> None:
    site, s3 = Site(jar), bucket(jar)
    root, other = make("root", ca=True), make("other", ca=True)
    with refused("CaCertificatesBundleNotFound"):
        site.elb.create_trust_store(Name="clients", **PLACE)
    for bad in (b"nothing", make("leaf").pem.encode()):
        s3.put_object(Bucket="trust", Key="bundle.pem", Body=bad)
        with refused("InvalidCaCertificatesBundle"):
            site.elb.create_trust_store(Name="clients", **PLACE)
    s3.put_object(Bucket="trust", Key="bundle.pem", Body=(root.pem + other.pem).encode())
    with refused("DuplicateTagKeys"):
        site.elb.create_trust_store(Name="clients", Tags=[{"Key": "a"}, {"Key": "a"}], **PLACE)
    made = site.elb.create_trust_store(Name="clients", Tags=[{"Key": "a", "Value": "b"}], **PLACE)["TrustStores"][0]
    arn = made["TrustStoreArn"]
    assert arn.startswith(f"arn:aws:elasticloadbalancing:eu-west-3:{ACCOUNT}:truststore/clients/")
    assert (made["NumberOfCaCertificates"], made["TotalRevokedEntries"], made["Status"]) == (2, 0, "ACTIVE")
    with refused("DuplicateTrustStoreName"):
        site.elb.create_trust_store(Name="clients", **PLACE)
    tagged = site.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]
    assert tagged == {"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "b"}]}
    with refused("RevocationContentNotFound"):
        site.elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=LISTS)
    s3.put_object(Bucket="trust", Key="list.pem", Body=b"nothing")
    with refused("InvalidRevocationContent"):
        site.elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=LISTS)
    s3.put_object(Bucket="trust", Key="list.pem", Body=revoking(root, make("a", root), make("b", root)).encode())
    for number in (1, 2):
        added = site.elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=LISTS)
        assert added["TrustStoreRevocations"] == [
            {"TrustStoreArn": arn, "RevocationId": number, "RevocationType": "CRL", "NumberOfRevokedEntries": 2}
        ]
    assert site.elb.describe_trust_stores(Names=["clients"])["TrustStores"][0]["TotalRevokedEntries"] == 4
    with refused("RevocationIdNotFound"):
        site.elb.remove_trust_store_revocations(TrustStoreArn=arn, RevocationIds=[2, 3])
    with refused("RevocationIdNotFound"):
        site.elb.describe_trust_store_revocations(TrustStoreArn=arn, RevocationIds=[3])
    site.elb.remove_trust_store_revocations(TrustStoreArn=arn, RevocationIds=[1])
    left = site.elb.describe_trust_store_revocations(TrustStoreArn=arn)["TrustStoreRevocations"]
    assert [one["RevocationId"] for one in left] == [2]
    added = site.elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=LISTS)
    assert added["TrustStoreRevocations"][0]["RevocationId"] == 3  # no number comes twice
    with refused("TrustStoreNotFound"):
        site.elb.describe_trust_stores(Names=["others"])
    with refused("DeleteAssociationSameAccount"):
        site.elb.delete_shared_trust_store_association(TrustStoreArn=arn, ResourceArn=arn)
    with refused("AssociationNotFound"):
        elsewhere = arn.replace(ACCOUNT, "210987654321").replace("truststore", "loadbalancer/app")
        site.elb.delete_shared_trust_store_association(TrustStoreArn=arn, ResourceArn=elsewhere)
    with refused("ResourceNotFound"):
        site.elb.get_resource_policy(ResourceArn=arn)
    site.elb.delete_trust_store(TrustStoreArn=arn)
    with refused("TrustStoreNotFound"):
        site.elb.delete_trust_store(TrustStoreArn=arn)


def test_listeners_ask_for_what_their_trust_store_vouches_for(jar: TestJar) -> None:
    site, s3 = Site(jar), bucket(jar)
    root, other = make("root", ca=True), make("other", ca=True)
    s3.put_object(Bucket="trust", Key="bundle.pem", Body=root.pem.encode())
    arn = site.elb.create_trust_store(Name="clients", **PLACE)["TrustStores"][0]["TrustStoreArn"]
    asked = {"Mode": "verify", "TrustStoreArn": arn, "AdvertiseTrustStoreCaNames": "on"}
    listener = https(site, site.balancer()["LoadBalancerArn"], site.group(), site.certificate(),
                     MutualAuthentication=asked)  # fmt: skip
    shown = site.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]["MutualAuthentication"]
    assert shown == {**asked, "IgnoreClientCertificateExpiry": False, "TrustStoreAssociationStatus": "active"}
    clients = planned(site).clients
    assert (clients.verifies, clients.authorities, clients.revoked, clients.advertises) == (True, root.pem, "", True)
    users = site.elb.describe_trust_store_associations(TrustStoreArn=arn)["TrustStoreAssociations"]
    assert users == [{"ResourceArn": listener}]
    with refused("TrustStoreInUse"):
        site.elb.delete_trust_store(TrustStoreArn=arn)
    gone = revoking(root, make("a", root))
    s3.put_object(Bucket="trust", Key="list.pem", Body=gone.encode())
    site.elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=LISTS)
    assert planned(site).clients.revoked == gone
    s3.put_object(Bucket="trust", Key="bundle.pem", Body=other.pem.encode())
    site.elb.modify_trust_store(TrustStoreArn=arn, **PLACE)
    assert planned(site).clients.authorities == other.pem
    name = "routing.http.request.x_amzn_mtls_clientcert_subject.header_name"
    site.elb.modify_listener_attributes(ListenerArn=listener, Attributes=[{"Key": name, "Value": "X-Who"}])
    assert planned(site).clients.renamed == (("subject", "X-Who"),)
    site.elb.modify_listener(ListenerArn=listener, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    assert planned(site).clients.verifies  # nothing was said of it
    for bad, words in (({"Mode": "verify"}, "A trust store ARN"), ({"Mode": "some"}, "must be one of"),
                       ({"Mode": "passthrough", "TrustStoreArn": arn}, "cannot be specified")):  # fmt: skip
        with refused("ValidationError", words):
            site.elb.modify_listener(ListenerArn=listener, MutualAuthentication=bad)
    with refused("TrustStoreNotFound"):
        missing = {"Mode": "verify", "TrustStoreArn": arn[:-1] + ("0" if arn[-1] != "0" else "1")}
        site.elb.modify_listener(ListenerArn=listener, MutualAuthentication=missing)
    site.elb.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "passthrough"})
    clients = planned(site).clients
    assert (clients.verifies, clients.authorities) == (False, "")
    site.elb.delete_trust_store(TrustStoreArn=arn)
    site.elb.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "off"})
    assert planned(site).clients is None
