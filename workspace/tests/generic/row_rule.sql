{# A row rule of a contract. As in a check constraint, a condition that is null is not violated. #}
{% test row_rule(model, condition) %}
    select 1 as violated
    from {{ model }}
    where not (
        {{ condition }}
    )
{% endtest %}
