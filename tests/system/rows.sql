-- A little of everything that marts are made of, small enough to add up by hand. Sealed fields hold other bytes:
-- marts do not look at them.

insert into ops.departments (department_code, name, city, cost_centre, is_active, _run_id) values
    ('FIN', 'Finance', 'Nairobi', '1000', true, 1),
    ('OPS', 'Operations', 'Kisumu', '2000', true, 1);

insert into ops.roles (role_code, title, grade, is_managerial, _run_id) values
    ('HEAD', 'Head of department', 10, true, 1),
    ('CLERK', 'Clerk', 4, false, 1);

insert into ops.users
    (user_id, full_name, email, phone, national_id, kra_pin, national_id_index, kra_pin_index, department_code, role_code, manager_id,
     employment_type, hired_on, left_on, is_active, _run_id) values
    ('U1', 'Amina Otieno', 'amina@example.org', '+254711000001', '30000001', 'A000000001A', 'n1', 'k1', 'FIN', 'HEAD', null,
     'permanent', '2024-01-01', null, true, 1),
    ('U2', 'Brian Mwangi', 'brian@example.org', '+254711000002', '30000002', 'A000000002B', 'n2', 'k2', 'FIN', 'CLERK', 'U1',
     'permanent', '2025-03-01', null, true, 1),
    ('U3', 'Cheptoo Korir', 'cheptoo@example.org', null, '30000003', 'A000000003C', 'n3', 'k3', 'OPS', 'CLERK', 'U1',
     'fixed_term', '2025-01-01', '2025-12-31', false, 1);

insert into ops.expenses
    (expense_id, spent_on, department_code, user_id, category, supplier, description, amount, currency, status,
     approved_at, _run_id) values
    ('E1', '2026-01-10', 'FIN', 'U1', 'travel', 'Safari Rides', 'Taxi', 100.00, 'KES', 'paid', '2026-01-11', 1),
    ('E2', '2026-01-20', 'FIN', 'U2', 'meals', 'Mama Oliech', 'Lunch', 50.00, 'KES', 'approved', '2026-01-21', 1),
    ('E3', '2026-02-05', 'OPS', null, 'office', 'Text Book Centre', 'Paper', 75.00, 'KES', 'paid', '2026-02-06', 1),
    ('E4', '2026-02-06', 'OPS', 'U1', 'office', 'Text Book Centre', 'Ink', 25.00, 'KES', 'submitted', null, 1),
    ('E5', '2026-03-01', 'FIN', 'U2', 'travel', 'Safari Rides', 'Bus', 10.00, 'USD', 'paid', '2026-03-02', 1);

insert into ops.leave_requests
    (request_id, user_id, leave_type, start_date, end_date, days, status, requested_at, decided_at, decided_by,
     reason, _run_id) values
    ('L1', 'U2', 'annual', '2026-02-02', '2026-02-06', 5, 'approved', '2026-01-05', '2026-01-06', 'U1', null, 1),
    ('L2', 'U2', 'annual', '2026-04-01', '2026-04-02', 2, 'requested', '2026-03-01', null, null, null, 1);

insert into ops.salaries
    (user_id, month, basic, allowances, gross, paye, nssf, shif, housing_levy, deductions, net, bank_account,
     _run_id) values
    ('U1', '2026-01-01', 90000, 10000, 100000, 20000, 1000, 2750, 1500, 0, 74750, '01-001-0123456789', 1),
    ('U2', '2026-01-01', 40000, 0, 40000, 4000, 1000, 1100, 600, 0, 33300, '01-001-0123456790', 1);

insert into ops.incidents
    (incident_id, opened_at, resolved_at, closed_at, severity, category, status, department_code, reported_by,
     assigned_to, title, description, _run_id) values
    ('I1', '2026-01-05 08:00+03', '2026-01-05 10:00+03', null, 'high', 'network', 'resolved', 'FIN', 'U1', 'U2',
     'Router down', 'No link', 1),
    ('I2', '2026-01-06 08:00+03', null, null, 'high', 'network', 'open', 'OPS', 'U1', null, 'Link slow', null, 1);
