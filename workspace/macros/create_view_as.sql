{#
  A view reads with the rights of the user who queries it, not of its owner: without
  security_invoker it would bypass the policies of its tables.
#}
{% macro postgres__create_view_as(relation, sql) -%}
    create view {{ relation.render() }} with (security_invoker = true) as (
        {{ sql }}
    );
{%- endmacro %}
