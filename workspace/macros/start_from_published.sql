{#
  Before a build aside: give each incremental model that is about to run a copy of
  what is published, so that it goes on from what readers see, and not from what an
  earlier build left behind that failed its tests. A macro, as only dbt knows which
  models are incremental, and only while it runs.
#}
{% macro start_from_published() %}
    {% if execute and target.schema != 'marts' and not flags.FULL_REFRESH %}
        {% for node in graph.nodes.values()
            if node.resource_type == 'model'
            and node.config.materialized == 'incremental'
            and node.unique_id in selected_resources %}
            {% set aside = api.Relation.create(
                database=target.database, schema=target.schema, identifier=node.alias, type='table'
            ) %}
            {% if adapter.get_relation(target.database, 'marts', node.alias) %}
                {% set published = api.Relation.create(
                    database=target.database, schema='marts', identifier=node.alias, type='table'
                ) %}
                {% call statement('copy') %}
                    create table {{ aside }} (like {{ published }} including all);
                    insert into {{ aside }} select * from {{ published }};
                {% endcall %}
                {% do adapter.cache_added(aside) %}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}
