create extension if not exists "btree_gist" with schema daftari;
create type "ops"."trips_status" as enum ('asked', 'approved', 'refused');
create table "ops"."teams" (
    "team" text collate "C" not null,
    "budget" numeric(10,2),
    "created_at" timestamptz not null default now(),
    "updated_at" timestamptz not null default now(),
    "_run_id" bigint not null default COALESCE(daftari.current_run(), (0)::bigint),
    constraint "teams_pkey" primary key ("team")
);
create trigger "audit_insert" after insert on "ops"."teams" for each statement execute function daftari.audit_insert('teams', 'team');
alter table "ops"."teams" enable always trigger "audit_insert";
create trigger "audit_update" after update on "ops"."teams" referencing old table as removed new table as added for each statement execute function daftari.audit_change('teams', 'team');
alter table "ops"."teams" enable always trigger "audit_update";
create trigger "audit_delete" after delete on "ops"."teams" referencing old table as removed for each statement execute function daftari.audit_change('teams', 'team');
alter table "ops"."teams" enable always trigger "audit_delete";
create trigger "audit_truncate" before truncate on "ops"."teams" for each statement execute function daftari.audit_truncate('teams', 'team');
alter table "ops"."teams" enable always trigger "audit_truncate";
create trigger set_updated_at before update on "ops"."teams" for each row execute function daftari.set_updated_at();
comment on table "ops"."teams" is 'One team.';
comment on column "ops"."teams"."created_at" is 'When the row first came.';
comment on column "ops"."teams"."updated_at" is 'When the row was last changed.';
comment on column "ops"."teams"."_run_id" is 'The run that last wrote the row; see daftari.run.';
create table "ops"."trips" (
    "trip" text collate "C" not null,
    "team" text collate "C" not null,
    "status" "ops"."trips_status" not null,
    "starts_on" date not null,
    "ends_on" date not null,
    "purpose" text,
    "created_at" timestamptz not null default now(),
    "updated_at" timestamptz not null default now(),
    "_run_id" bigint not null default COALESCE(daftari.current_run(), (0)::bigint),
    constraint "trips_pkey" primary key ("trip"),
    constraint "trips_purpose_length" check (char_length("purpose") >= 3 and char_length("purpose") <= 200),
    constraint "trips_ends_after_start" check ("ends_on" >= "starts_on"),
    constraint "trips_no_overlap" exclude using gist ("team" with =, daterange("starts_on", "ends_on", '[]') with &&) where (("status" = 'refused') is not true)
);
create index "trips_starts_on_idx" on "ops"."trips" ("starts_on");
create index "trips_team_idx" on "ops"."trips" ("team");
create trigger "audit_insert" after insert on "ops"."trips" for each statement execute function daftari.audit_insert('trips', 'trip');
alter table "ops"."trips" enable always trigger "audit_insert";
create trigger "audit_update" after update on "ops"."trips" referencing old table as removed new table as added for each statement execute function daftari.audit_change('trips', 'trip');
alter table "ops"."trips" enable always trigger "audit_update";
create trigger "audit_delete" after delete on "ops"."trips" referencing old table as removed for each statement execute function daftari.audit_change('trips', 'trip');
alter table "ops"."trips" enable always trigger "audit_delete";
create trigger "audit_truncate" before truncate on "ops"."trips" for each statement execute function daftari.audit_truncate('trips', 'trip');
alter table "ops"."trips" enable always trigger "audit_truncate";
create trigger set_updated_at before update on "ops"."trips" for each row execute function daftari.set_updated_at();
comment on table "ops"."trips" is 'One journey, with the team''s money.';
comment on column "ops"."trips"."status" is 'Where it stands.';
comment on column "ops"."trips"."purpose" is 'Why, in the traveller''s words.';
comment on column "ops"."trips"."created_at" is 'When the row first came.';
comment on column "ops"."trips"."updated_at" is 'When the row was last changed.';
comment on column "ops"."trips"."_run_id" is 'The run that last wrote the row; see daftari.run.';
alter table "ops"."trips" add constraint "trips_team_fkey" foreign key ("team") references "ops"."teams" ("team");
