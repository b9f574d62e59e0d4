{#
  A view reads with the rights of whoever asks, not of whoever made it: without
  security_invoker it would pass by the policies of the tables under it.
#}
{% macro postgres__create_view_as(relation, sql) -%}
    create view {{ relation.render() }} with (security_invoker = true) as (
        {{ sql }}
    );
{%- endmacro %}
