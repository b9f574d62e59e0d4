{#
  Before a build in a separate schema: copy the published table of each incremental
  model that will run. So the model continues from what readers see, and not from an
  earlier build that failed its tests. This is a macro because only dbt knows which
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
