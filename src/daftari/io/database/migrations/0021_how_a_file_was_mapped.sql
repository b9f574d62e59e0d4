-- The source mapping with which a file was judged: known content is judged again where that has changed.
alter table daftari.source_file add column mapping_sha256 text;
