-- A small organisation, in whose sealed fields other bytes stand: Amina heads it; Brian, in finance, leads Cheptoo and, through her, Dahir; Esther works
-- for nobody of them. Whoever sees a cell too many sees a value that is unlike all others.

insert into ops.departments (department_code, name, city, cost_centre, is_active, _run_id) values
    ('FIN', 'Finance', 'Nairobi', '1000', true, 1),
    ('OPS', 'Operations', 'Kisumu', '2000', true, 1);

insert into ops.roles (role_code, title, grade, is_managerial, _run_id) values
    ('HEAD', 'Head of department', 10, true, 1),
    ('CLERK', 'Clerk', 4, false, 1);

insert into ops.users
    (user_id, full_name, email, phone, national_id, kra_pin, national_id_index, kra_pin_index, next_of_kin,
     department_code, role_code, manager_id,
     employment_type, hired_on, left_on, is_active, _run_id) values
    ('U1', 'Amina Otieno', 'amina@example.org', '+254711000001', '30000001', 'A000000001A', 'n1', 'k1', 'Juma, +254700000001',
     'FIN', 'HEAD', null, 'permanent', '2024-01-01', null, true, 1),
    ('U2', 'Brian Mwangi', 'brian@example.org', '+254711000002', '30000002', 'A000000002B', 'n2', 'k2', null,
     'FIN', 'HEAD', 'U1', 'permanent', '2025-03-01', null, true, 1),
    ('U3', 'Cheptoo Korir', 'cheptoo@example.org', null, '30000003', 'A000000003C', 'n3', 'k3', 'Kip, +254700000003',
     'OPS', 'CLERK', 'U2', 'fixed_term', '2025-01-01', '2025-12-31', false, 2),
    ('U4', 'Dahir Abdi', 'dahir@example.org', '+254711000004', '30000004', 'A000000004D', 'n4', 'k4', null,
     'OPS', 'CLERK', 'U3', 'casual', '2025-02-01', null, true, 2),
    ('U5', 'Esther Wambui', 'esther@example.org', '+254711000005', '30000005', 'A000000005E', 'n5', 'k5', 'Ann, +254700000005',
     'OPS', 'CLERK', 'U1', 'intern', '2025-06-01', null, true, 2);

insert into ops.expenses
    (expense_id, spent_on, department_code, user_id, category, supplier, description, amount, currency, status,
     approved_at, _run_id) values
    ('E1', '2026-01-10', 'FIN', 'U1', 'travel', 'Safari Rides', 'Taxi', 100.00, 'KES', 'paid', '2026-01-11', 1),
    ('E2', '2026-01-20', 'FIN', 'U2', 'meals', 'Mama Oliech', 'Lunch', 50.00, 'KES', 'approved', '2026-01-21', 1),
    ('E3', '2026-02-05', 'OPS', null, 'office', 'Text Book Centre', 'Paper', 75.00, 'KES', 'paid', '2026-02-06', 1),
    ('E4', '2026-02-06', 'OPS', 'U3', 'office', 'Text Book Centre', 'Ink', 25.00, 'KES', 'submitted', null, 1),
    ('E5', '2026-03-01', 'FIN', 'U4', 'travel', 'Safari Rides', 'Bus', 10.00, 'USD', 'paid', '2026-03-02', 1),
    ('E6', '2026-03-02', 'OPS', 'U5', 'travel', 'Safari Rides', 'Boat', 11.00, 'USD', 'paid', '2026-03-02', 1);

insert into ops.leave_requests
    (request_id, user_id, leave_type, start_date, end_date, days, status, requested_at, decided_at, decided_by,
     reason, _run_id) values
    ('L1', 'U2', 'annual', '2026-02-02', '2026-02-06', 5, 'approved', '2026-01-05', '2026-01-06', 'U1', 'Rest', 1),
    ('L2', 'U3', 'sick', '2026-04-01', '2026-04-02', 2, 'requested', '2026-03-01', null, null, 'Malaria', 1),
    ('L3', 'U4', 'annual', '2026-05-01', '2026-05-02', 2, 'requested', '2026-03-02', null, null, null, 1),
    ('L4', 'U5', 'sick', '2026-06-01', '2026-06-02', 2, 'approved', '2026-03-03', '2026-03-04', 'U1', 'Flu', 1);

insert into ops.salaries
    (user_id, month, basic, allowances, gross, paye, nssf, shif, housing_levy, deductions, net, bank_account,
     _run_id) values
    ('U1', '2026-01-01', 90000, 10000, 100000, 20000, 1000, 2750, 1500, 0, 74750, '01-001-0123456789', 1),
    ('U2', '2026-01-01', 70000, 0, 70000, 9000, 1000, 1925, 1050, 0, 57025, '01-001-0123456790', 1),
    ('U3', '2026-01-01', 40000, 0, 40000, 4000, 1000, 1100, 600, 0, 33300, '01-001-0123456791', 1),
    ('U4', '2026-01-01', 30000, 0, 30000, 2000, 1000, 825, 450, 0, 25725, null, 1),
    ('U5', '2026-01-01', 20000, 0, 20000, 1000, 1000, 550, 300, 0, 17150, '01-001-0123456793', 1);

insert into ops.incidents
    (incident_id, opened_at, resolved_at, closed_at, severity, category, status, department_code, reported_by,
     assigned_to, title, description, _run_id) values
    ('I1', '2026-01-05 08:00+03', '2026-01-05 10:00+03', null, 'high', 'network', 'resolved', 'FIN', 'U1', 'U2',
     'Router down', 'No link', 1),
    ('I2', '2026-04-06 08:00+03', null, null, 'high', 'network', 'open', 'OPS', 'U3', null, 'Link slow', 'Slow', 1),
    ('I3', '2020-01-06 08:00+03', null, null, 'low', 'network', 'open', 'OPS', 'U5', 'U3', 'Old link', null, 1);

-- A row in every partition.
insert into ops.incidents
    (incident_id, opened_at, severity, category, status, department_code, reported_by, title, _run_id)
select 'Q' || q, timestamptz '2024-10-05 08:00+03' + q * interval '3 months', 'low', 'network', 'open',
       case when q % 2 = 0 then 'FIN' else 'OPS' end, case when q % 3 = 0 then 'U3' else 'U5' end, 'Printer', 1
from generate_series(0, 12) q;
