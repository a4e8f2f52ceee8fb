"""nova-objectstore: Amazon's S3 over an object store of this cloud, for its projects."""
