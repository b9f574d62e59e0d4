-- Policies ask these once a statement, before its workers start. Left at PostgreSQL's default, that a function may do
-- anything, each kept every read under a policy from parallel workers: 1.3 to 1.7 times the time of the same read
-- without (benchmarks/reads.py).
alter function daftari.acts_as(name) parallel restricted;
alter function daftari.is_service() parallel restricted;
alter function daftari.user_id() parallel restricted;
alter function daftari.department() parallel restricted;
alter function daftari.colleagues() parallel restricted;
alter function daftari.reports() parallel restricted;
