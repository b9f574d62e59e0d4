{# The weekdays from one date to another, both included. #}
{% macro weekdays(first, last) -%}
    (
        select count(*)
        from generate_series(cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval '1 day') as day
        where extract(isodow from day) < 6
    )
{%- endmacro %}
