-- The sheet that was read of a workbook: a replay reads the same one.
alter table daftari.source_file add column sheet text;
