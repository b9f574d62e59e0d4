{# A number stays within its bounds, both included. #}
{% test in_range(model, column_name, minimum=none, maximum=none) %}
    select 1 as violated
    from {{ model }}
    where false
        {% if minimum is not none %} or {{ column_name }} < {{ minimum }} {% endif %}
        {% if maximum is not none %} or {{ column_name }} > {{ maximum }} {% endif %}
{% endtest %}
