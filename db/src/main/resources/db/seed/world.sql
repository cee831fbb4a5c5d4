-- What DORA's report of 2024 found, https://dora.dev/research/2024/dora-report/. By the rate of
-- failures alone, medium is better than high: tiers are of all metrics together.
INSERT INTO delivery.dora_market_benchmarks
  (id, report_year, report_source, performance_tier, metric_name, metric_value, metric_unit)
SELECT gen_random_uuid(), 2024, 'Google DORA Report 2024, https://dora.dev', v.*
  FROM (VALUES
    ('ELITE', 'Deployment Frequency', 'on demand', NULL),
    ('ELITE', 'Lead Time for Changes', 'less than 1 day', NULL),
    ('ELITE', 'Change Failure Rate', '5', 'percent'),
    ('ELITE', 'Time to Restore Service', 'less than 1 hour', NULL),
    ('HIGH', 'Deployment Frequency', 'between daily and weekly', NULL),
    ('HIGH', 'Lead Time for Changes', '1 day to 1 week', NULL),
    ('HIGH', 'Change Failure Rate', '20', 'percent'),
    ('HIGH', 'Time to Restore Service', 'less than 1 day', NULL),
    ('MEDIUM', 'Deployment Frequency', 'between weekly and monthly', NULL),
    ('MEDIUM', 'Lead Time for Changes', '1 week to 1 month', NULL),
    ('MEDIUM', 'Change Failure Rate', '10', 'percent'),
    ('MEDIUM', 'Time to Restore Service', 'less than 1 day', NULL),
    ('LOW', 'Deployment Frequency', 'between monthly and half-yearly', NULL),
    ('LOW', 'Lead Time for Changes', '1 month to 6 months', NULL),
    ('LOW', 'Change Failure Rate', '40', 'percent'),
    ('LOW', 'Time to Restore Service', '1 week to 1 month', NULL)) v
ON CONFLICT DO NOTHING;

INSERT INTO delivery.dora_metric_insights (id, report_year, metric_name, insight_text)
SELECT gen_random_uuid(), 2024, v.*
  FROM (VALUES
    ('Deployment Frequency',
     'The elite tier deploys 182 times as often as the low one (DORA 2024).'),
    ('Lead Time for Changes',
     'From commit to production, the elite tier is 127 times as fast as the low one (DORA 2024).'),
    ('Change Failure Rate',
     'The elite tier''s changes fail an eighth as often as the low one''s. The medium tier fails less'
     ' often than the high one, which changes more: judge by each metric, not by one (DORA 2024).'),
    ('Time to Restore Service',
     'After a failed deployment, the elite tier recovers 2,293 times as fast as the low one'
     ' (DORA 2024).')) v
ON CONFLICT DO NOTHING;
