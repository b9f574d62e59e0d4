{# No two rows have the same values in all of the columns: a grain, or a key of several fields. #}
{% test unique_together(model, columns) %}
    select count(*) as times
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
